// A video call between two people. The address is the invitation: its hash names the room.

const find = (id) => document.getElementById(id);
const say = (text) => { find('status').textContent = text; };

// Hard to guess, as whoever knows the name can join: 24 characters of 5 random bits each.
const randomName = () => crypto.getRandomValues(new Uint8Array(24))
  .reduce((name, byte) => name + 'abcdefghijklmnopqrstuvwxyz234567'[byte & 31], '');
if (location.hash.length < 2) history.replaceState(null, '', '#' + randomName());
addEventListener('hashchange', () => location.reload());

// The camera first: who joins the room after that has something to show from the start.
const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: true })
  .catch((error) => { say(`No camera or microphone: ${error.message}`); throw error; });
find('localVideo').srcObject = media;
say('Waiting for the other person.');

const drone = new Scaledrone('visavis');
const roomName = 'observable-' + decodeURIComponent(location.hash.slice(1));
const room = drone.subscribe(roomName);
const send = (message) => drone.publish({ room: roomName, message });

let connection = null; // to the other person, if there is one
let other = null; // whose member id is this
let present = new Set(); // who is in the room

// One thing after the other, so that no candidate overtakes the description it belongs to.
let work = Promise.resolve();
const inOrder = (step) => { work = work.then(step).catch(console.warn); };

// Who finds exactly one other person here is the one to call. The server may have started anew meanwhile: then this
// comes once more, and a call that still goes on is left alone.
room.on('members', (members) => {
  present = new Set(members.map((member) => member.id));
  if (members.length === 2 && members[1].id !== other) inOrder(() => connect(members[1].id));
});
room.on('member_join', (member) => present.add(member.id));
room.on('member_leave', (member) => {
  present.delete(member.id);
  inOrder(() => member.id === other && hangUp());
});
room.on('data', (message, sender) => {
  if (sender.id !== drone.clientId) inOrder(() => receive(message, sender.id));
});
drone.on('error', (error) => say(`The server cannot be reached: ${error.message ?? 'trying again'}`));

async function connect(memberId) {
  hangUp();
  other = memberId;
  connection = new RTCPeerConnection({ iceServers: await drone.iceServers() });
  const stream = find('remoteVideo').srcObject = new MediaStream();
  connection.ontrack = ({ track }) => stream.addTrack(track);
  connection.onicecandidate = ({ candidate }) => candidate && send({ candidate });
  connection.onconnectionstatechange = ({ target }) => say(`The call is ${target.connectionState}.`);
  connection.onnegotiationneeded = () => inOrder(describe); // at once for the caller, never for the called
  for (const track of media.getTracks()) connection.addTrack(track, media);
}

async function describe() {
  await connection.setLocalDescription(); // an offer, or the answer to one
  send({ sdp: connection.localDescription });
}

async function receive({ sdp, candidate, bye, to }, from) {
  if (to && to !== drone.clientId) return;
  const isOffer = sdp?.type === 'offer';
  const isFree = !present.has(other) || connection.connectionState !== 'connected';
  if (isOffer && from !== other && isFree) await connect(from);
  if (from !== other) return; // a third person: this page is for two
  if (bye) hangUp();
  if (isOffer && connection.signalingState !== 'stable') return; // both called at once: ours stands
  if (sdp) await connection.setRemoteDescription(sdp);
  if (isOffer) await describe();
  if (candidate) await connection.addIceCandidate(candidate);
}

function hangUp() {
  connection?.close();
  connection = other = null;
  find('remoteVideo').srcObject = null;
  say('Waiting for the other person.');
}
