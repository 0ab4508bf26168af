//! A signaling server that speaks what the call needs: rooms, members, resume, grace.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

pub type Socket = u32;
const GRACE: u64 = 20_000;
const SILENT: u64 = 45_000;

#[derive(Debug)]
struct Connection {
    id: String,
    resumes: bool,
    data: Value,
    /// What the server makes of a device's secret.
    device: Value,
    heard: u64,
}

#[derive(Debug)]
struct Member {
    id: String,
    data: Value,
    device: Value,
    socket: Option<Socket>,
    leaves: Option<u64>,
}

/// What the server sends: a frame, or the end of a connection.
pub enum Sent {
    Frame(Socket, String),
    Close(Socket),
}

#[derive(Debug, Default)]
pub struct Server {
    ids: u32,
    connections: BTreeMap<Socket, Connection>,
    /// One room is enough, newest member first.
    members: Vec<Member>,
    out: VecDeque<(Socket, Option<String>)>,
    pub published: u64,
    pub ttl: u64,
    pub refuse_room: bool,
    pub ice_asked: u32,
    /// Whether there is a relay over TLS as well.
    pub turns: bool,
}

impl Server {
    pub fn new() -> Self {
        Self { ttl: 3600, ..Self::default() }
    }

    pub fn members(&self) -> Vec<String> {
        self.members.iter().map(|member| member.id.clone()).collect()
    }

    pub fn poll(&mut self) -> Option<Sent> {
        let (socket, frame) = self.out.pop_front()?;
        Some(frame.map_or(Sent::Close(socket), |frame| Sent::Frame(socket, frame)))
    }

    fn send(&mut self, socket: Socket, frame: &Value) {
        self.out.push_back((socket, Some(frame.to_string())));
    }

    pub fn restart(&mut self) {
        let sockets: Vec<_> = self.connections.keys().copied().collect();
        self.connections.clear();
        self.members.clear();
        self.out.extend(sockets.into_iter().map(|socket| (socket, None)));
    }

    pub fn closed(&mut self, now: u64, socket: Socket) {
        let Some(connection) = self.connections.remove(&socket) else { return };
        if connection.resumes {
            for member in self.members.iter_mut().filter(|member| member.socket == Some(socket)) {
                member.socket = None;
                member.leaves = Some(now + GRACE);
            }
        } else {
            self.leave(&connection.id);
        }
    }

    fn leave(&mut self, id: &str) {
        let Some(at) = self.members.iter().position(|member| member.id == id) else { return };
        let member = self.members.remove(at);
        let left = json!({"type": "observable_member_leave", "room": ROOM, "data": shown(&member)});
        self.announce(&left, None);
    }

    fn announce(&mut self, frame: &Value, except: Option<&str>) {
        let members = self.members.iter().filter(|member| Some(member.id.as_str()) != except);
        let sockets: Vec<_> = members.filter_map(|member| member.socket).collect();
        for socket in sockets {
            self.send(socket, frame);
        }
    }

    pub fn tick(&mut self, now: u64) {
        let late = |member: &&Member| member.leaves.is_some_and(|at| at <= now);
        let late: Vec<_> = self.members.iter().filter(late).map(|member| member.id.clone()).collect();
        late.iter().for_each(|id| self.leave(id));
        let silent = self.connections.iter().filter(|(_, connection)| connection.heard + SILENT <= now);
        let silent: Vec<_> = silent.map(|(socket, _)| *socket).collect();
        silent.into_iter().for_each(|socket| self.closed(now, socket));
    }

    /// The connection lives: its pongs come.
    pub fn alive(&mut self, now: u64, socket: Socket) {
        if let Some(connection) = self.connections.get_mut(&socket) {
            connection.heard = now;
        }
    }

    pub fn frame(&mut self, now: u64, socket: Socket, text: &str) {
        let frame: Value = serde_json::from_str(text).expect("the call sends JSON");
        match frame["type"].as_str().unwrap_or_default() {
            "handshake" => self.handshake(now, socket, &frame),
            _ if !self.connections.contains_key(&socket) => {}
            "subscribe" => self.subscribe(socket, &frame),
            "unsubscribe" => {
                let id = self.connections[&socket].id.clone();
                self.leave(&id);
                self.send(socket, &json!({"callback": frame["callback"]}));
            }
            "publish" => self.publish(socket, &frame),
            "ice_servers" => {
                self.ice_asked += 1;
                let mut urls = vec!["turn:relay.example?transport=udp"];
                urls.extend(self.turns.then_some("turns:relay.example?transport=tcp"));
                let servers = json!([{"urls": urls, "username": "u", "credential": "c"}]);
                let ttl = self.ttl.max(1);
                self.send(
                    socket,
                    &json!({"callback": frame["callback"], "ice_servers": servers, "ttl": ttl}),
                );
            }
            "peek" => {
                let count = self.members.len();
                self.send(socket, &json!({"callback": frame["callback"], "count": count}));
            }
            other => panic!("unexpected frame {other}"),
        }
    }

    fn handshake(&mut self, now: u64, socket: Socket, frame: &Value) {
        let resumed =
            frame["resume"].as_str().and_then(|token| token.strip_prefix("token-")).map(str::to_owned);
        let id = resumed.unwrap_or_else(|| {
            self.ids += 1;
            format!("b58:{}", self.ids)
        });
        let older =
            self.connections.iter().find(|(_, connection)| connection.id == id).map(|(socket, _)| *socket);
        if let Some(older) = older {
            self.connections.remove(&older);
            self.out.push_back((older, None));
        }
        let resumes = frame.get("resume").is_some();
        let device = frame["device_secret"].as_str().map(device).into();
        let data = frame["client_data"].clone();
        let connection = Connection { id: id.clone(), resumes, data, device, heard: now };
        self.connections.insert(socket, connection);
        let mut reply = json!({"callback": frame["callback"], "client_id": id, "require_auth": false});
        if !self.connections[&socket].device.is_null() {
            reply["device"] = self.connections[&socket].device.clone();
        }
        if resumes {
            reply["resume"] = json!(format!("token-{id}"));
        }
        self.send(socket, &reply);
    }

    fn subscribe(&mut self, socket: Socket, frame: &Value) {
        if self.refuse_room {
            return self.send(socket, &json!({"callback": frame["callback"], "error": "Unauthorized"}));
        }
        let connection = &self.connections[&socket];
        let Connection { id, data, device, .. } = connection;
        let (id, data, device) = (id.clone(), data.clone(), device.clone());
        let known = self.members.iter_mut().find(|member| member.id == id);
        if let Some(member) = known {
            member.socket = Some(socket);
            member.leaves = None;
        } else {
            let member = Member { id: id.clone(), data, device, socket: Some(socket), leaves: None };
            let joined = json!({"type": "observable_member_join", "room": ROOM, "data": shown(&member)});
            self.members.insert(0, member);
            self.announce(&joined, Some(&id));
        }
        let mut members: Vec<_> = self.members.iter().map(shown).collect();
        let own = self.members.iter().position(|member| member.id == id).unwrap();
        members[..=own].rotate_right(1);
        self.send(socket, &json!({"type": "observable_members", "room": ROOM, "data": members}));
        self.send(socket, &json!({"callback": frame["callback"]}));
    }

    fn publish(&mut self, socket: Socket, frame: &Value) {
        self.published += 1;
        let id = self.connections[&socket].id.clone();
        let message = json!({
            "type": "publish", "room": ROOM, "message": frame["message"], "client_id": id,
            "id": self.published.to_string(), "timestamp": 0,
        });
        self.announce(&message, None);
    }

    /// Somebody says something in the room, without being a page of this model.
    pub fn inject(&mut self, from: &str, message: &Value) {
        let message = json!({"type": "publish", "room": ROOM, "message": message, "client_id": from, "id": "x", "timestamp": 0});
        self.announce(&message, None);
    }
}

pub const ROOM: &str = "observable-room";

fn shown(member: &Member) -> Value {
    let mut shown = json!({"id": member.id});
    for (name, value) in [("clientData", &member.data), ("device", &member.device)] {
        if !value.is_null() {
            shown[name] = value.clone();
        }
    }
    shown
}

/// The name of the device that has this secret. Nobody finds a secret for a name that is taken.
pub fn device(secret: &str) -> String {
    format!("of {secret}")
}
