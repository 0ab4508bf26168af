// A member of a room, driven by a test: node member.js SDK URL CHANNEL ROOM NAME
// Prints one JSON array per event; takes one JSON array per line: ["publish", message], ["leave"], ["cut"], ["ice"].
'use strict';

const path = require('path');
const readline = require('readline');
const WebSocket = require('ws');

const [sdk, url, channel, roomName, name] = process.argv.slice(2);
const print = (...event) => process.stdout.write(JSON.stringify(event) + '\n');

// The last socket, so that it can be cut as a network does it: without a Close frame.
let socket = null;
class CuttableSocket extends WebSocket {
  constructor(...words) {
    super(...words);
    socket = this;
  }
}

const options = { url, data: { name } };
const Scaledrone = sdk === 'visavis' ? require(path.join(__dirname, '../../sdk/visavis.js')) : require('scaledrone-node');
if (sdk === 'visavis') options.WebSocket = CuttableSocket;

const drone = new Scaledrone(channel, options);
drone.on('open', (error) => print('open', error ? error.message : drone.clientId));
drone.on('reconnect', () => print('reconnect', drone.clientId));
drone.on('disconnect', () => print('disconnect'));
drone.on('error', (error) => print('error', String(error.message)));
drone.on('close', (event) => print('close', event.code));

const room = drone.subscribe(roomName);
room.on('open', (error) => print('room_open', error ? error.message : null));
room.on('members', (members) => print('members', members));
room.on('member_join', (member) => print('member_join', member));
room.on('member_leave', (member) => print('member_leave', member));
room.on('message', (message) => print('message', message));

const commands = {
  publish: (message) => drone.publish({ room: roomName, message }),
  leave: () => room.unsubscribe(),
  cut: () => socket._socket.destroy(),
  ice: () => drone.iceServers().then((servers) => print('ice', servers), (error) => print('ice', error.message)),
};
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const [command, ...words] = JSON.parse(line);
  commands[command](...words);
});
