// What pages in TypeScript write: it is compiled, never run.
import Scaledrone = require('../../sdk/visavis');

const drone = new Scaledrone('channel', { url: 'wss://example.test/v3/websocket', data: { name: 'Ada' }, type: 'sockjs' });
drone.on('open', (error) => console.log(error?.message, drone.clientId?.length));
drone.on('close authenticate'.split(' ')[0] as 'close', ({ code, reason }) => console.log(code + 1, reason.length));
drone.authenticate('a.b.c');
drone.authenticate((clientId) => clientId.toUpperCase());
drone.authenticate(async (clientId) => `${clientId}.b.c`);

const room = drone.subscribe('observable-room', { historyCount: 5 });
room.on('message', ({ data, id, timestamp, clientId, member }) => {
  console.log(data.anything, id.length, timestamp + 1, clientId?.length, member?.clientData.name);
});
room.on('gap', () => drone.publish({ room: room.name, message: { anything: [1, null] } }));
room.on('members', (members) => members.map((member) => member.id.length));
room.once('member_leave', ({ id }) => console.log(drone.currentId(id)));
room.off('message').off();

async function call(): Promise<RTCPeerConnection> {
  const connected: Scaledrone = await drone.ready;
  const entered: Scaledrone.Room = await room.ready;
  console.log(connected.clientId, entered.name);
  return new RTCPeerConnection({ iceServers: await drone.iceServers() });
}
call().finally(() => drone.close());

// @ts-expect-error a room is an object here
drone.publish('room', 'message');
// @ts-expect-error no such event
room.on('messages', () => {});
// @ts-expect-error a token is a text
drone.authenticate(7);
// @ts-expect-error it is the server's to give
drone.clientId = 'me';
