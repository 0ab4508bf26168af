// A member of a room, driven by a test: node member.js SDK URL CHANNEL ROOM NAME [OPTIONS]
// SDK is `visavis` or a package: Scaledrone's own, as they are. OPTIONS is JSON: `secret` and `ttl` of tokens in seconds,
// `history` to ask for, `type` of the connection, `skew` of this computer's clock in seconds, `cut` the connection after so
// many messages of history, `flaps` whether each is cut as soon as it stands.
// Prints one JSON array per event; takes one JSON array per line, whose first element is one of the `commands`.
'use strict';

const crypto = require('crypto');
const path = require('path');
const readline = require('readline');
const WebSocket = require('ws');

const [sdk, url, channel, roomName, name, options = '{}'] = process.argv.slice(2);
const { secret, ttl = 600, history, type, skew = 0, cut = Infinity, flaps = false } = JSON.parse(options);
const isOurs = sdk === 'visavis';
const print = (...event) => process.stdout.write(JSON.stringify(event) + '\n');

// The last socket, so that it can be cut as a network does it: without a Close frame.
let socket = null;
let historyHeard = 0;
class CuttableSocket extends WebSocket {
  constructor(url) {
    super(url);
    socket = this;
    this.isDeaf = false;
  }

  /** What comes behind `cut` messages of history is lost with the connection. */
  emit(event, data, ...rest) {
    if (event === 'message' && String(data).includes('"history_message"') && historyHeard++ === cut) {
      this.isDeaf = true;
      this._socket.destroy();
    }
    if (flaps && event === 'message') setImmediate(() => this._socket?.destroy());
    return event === 'message' && this.isDeaf ? true : super.emit(event, data, ...rest);
  }
}
const rightNow = Date.now;
Date.now = () => rightNow() + skew * 1000;
// What React Native has everywhere.
global.WebSocket = CuttableSocket;

const Scaledrone = isOurs ? require(path.join(__dirname, '../../sdk/visavis.js')) : require(sdk);
const drone = new Scaledrone(channel, { url, type, data: { name } });
drone.on('open', (error) => print('open', error ? error.message : drone.clientId));
drone.on('authenticate', (error) => print('authenticate', error ? error.message : null));
drone.on('reconnect', () => print('reconnect', drone.clientId));
drone.on('disconnect', () => print('disconnect'));
drone.on('error', (error) => print('error', String(error.message)));
drone.on('close', (event) => print('close', event.code));

// The original waits until it is authenticated, ours takes things in any order.
let room = null;
let older = null; // the one before of the same name
if (secret && isOurs) drone.authenticate(async (clientId) => token(clientId, secret));
if (secret && !isOurs) drone.on('open', () => drone.authenticate(token(drone.clientId, secret)));
if (secret && !isOurs) drone.on('authenticate', (error) => error || enter());
else enter();

if (isOurs) drone.ready.then((drone) => print('ready', drone.clientId), (error) => print('not_ready', error.message));

function enter() {
  older = room;
  room = drone.subscribe(roomName, { historyCount: history });
  room.on('open', (error) => print('room_open', error ? error.message : null));
  room.on('members', (members) => print('members', members));
  room.on('member_join', (member) => print('member_join', member));
  room.on('member_leave', (member) => print('member_leave', member));
  room.on('message', (message) => print('message', message));
  room.on('data', (data, member) => print('data', { data, member }));
  room.on('history_message', (message) => print('history_message', message));
  room.on('gap', () => print('gap'));
  if (isOurs) room.ready.then((room) => print('room_ready', room.name), (error) => print('room_not_ready', error.message));
}

/** What a back end would give out, whose clock is right. */
function token(clientId, secret, seconds = ttl) {
  const encode = (object) => Buffer.from(JSON.stringify(object)).toString('base64url');
  const exp = Math.ceil(rightNow() / 1000) + seconds;
  const permissions = { '.*': { publish: true, subscribe: true, history: 100 } };
  const claims = { channel, client: clientId, exp, permissions, data: { from: 'a token' } };
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  print('token', clientId);
  return `${signed}.${crypto.createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

const commands = {
  publish: (message) => drone.publish({ room: roomName, message }),
  count: (from, to) => {
    try {
      for (let number = from; number < to; number++) commands.publish(number);
    } catch (error) {
      print('refused', error.message);
    }
  },
  // As soon as the next message has come, when others may still be waiting.
  interject: (message) =>
    room.once('message', () => {
      commands.publish(message);
      commands.ice();
    }),
  enter,
  // A token that is not renewed.
  show: (secret, ttl) => drone.authenticate(token(drone.clientId, secret, ttl)),
  // By a secret that may be a wrong one, after so many milliseconds.
  authenticate: (secret, delay) =>
    drone.authenticate(async (clientId) => {
      await new Promise((resolve) => setTimeout(resolve, delay));
      return token(clientId, secret);
    }),
  leave: () => room.unsubscribe(),
  leave_older: () => older.unsubscribe(),
  // Before anything is answered.
  reenter: () => {
    enter();
    room.unsubscribe();
    enter();
  },
  // One object, said thrice while it changes, which then becomes one that nobody can say.
  change: () => {
    const message = {};
    for (const number of [1, 2, 3]) commands.publish(Object.assign(message, { number }));
    message.message = message;
  },
  cut: () => socket._socket.destroy(),
  // The server answers with the same code.
  go_away: () => socket.close(1001),
  close: () => drone.close(),
  current: (id) => print('current', drone.currentId(id)),
  ice: () => drone.iceServers().then((servers) => print('ice', servers), (error) => print('ice', error.message)),
};
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const [command, ...words] = JSON.parse(line);
  commands[command](...words);
});
