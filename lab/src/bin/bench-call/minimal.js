// The least that a page must do to call another one, for comparison: everything is ready before `__join`.
const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
const socket = new WebSocket(`wss://${location.host}/v3/websocket`);
await new Promise((done) => { socket.onopen = done; });
const send = (frame) => socket.send(JSON.stringify(frame));
const answer = (frame) => new Promise((done) => {
  socket.onmessage = ({ data }) => done(JSON.parse(data));
  send(frame);
});
const room = 'observable-bench';
const say = (message) => send({ type: 'publish', room, message });
const own = (await answer({ type: 'handshake', channel: 'visavis', callback: 1 })).client_id;
const { ice_servers: iceServers } = await answer({ type: 'ice_servers', callback: 2 });
const video = document.createElement('video');
video.muted = video.autoplay = true;

let connection;
const call = async () => {
  connection = new RTCPeerConnection({ iceServers });
  connection.onicecandidate = ({ candidate }) => candidate && say({ candidate });
  connection.ontrack = ({ track }) => {
    if (track.kind !== 'video') return;
    video.srcObject = new MediaStream([track]);
    video.requestVideoFrameCallback(() => { window.__seen = performance.now(); });
  };
  for (const track of stream.getTracks()) connection.addTrack(track, stream);
  await connection.setLocalDescription();
  say({ sdp: connection.localDescription });
};
socket.onmessage = async ({ data }) => {
  const { type, message, client_id: from } = JSON.parse(data);
  if (type === 'observable_members') await call();
  if (type !== 'publish' || from === own) return;
  if (message.sdp) await connection.setRemoteDescription(message.sdp);
  if (message.candidate) await connection.addIceCandidate(message.candidate);
};
window.__click = window.__seen = 0;
window.__join = () => {
  window.__click = performance.now();
  send({ type: 'subscribe', room, callback: 3 });
};
window.__leave = () => {
  say({ bye: true });
  connection.close();
  socket.close();
};
