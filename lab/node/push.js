// A back end that uses Scaledrone's own package for REST, once through: node push.js URL CHANNEL SECRET ROOM
// Prints one JSON array per answer: the name of the method, and what it gave or the message of its error.
'use strict';

const { promisify } = require('util');
const Push = require('scaledrone-node-push');

const [baseURL, channelId, secretKey, room] = process.argv.slice(2);
const back = new Push({ baseURL, channelId, secretKey });
// This package takes objects as JSON.
const calls = [
  ['publish', room, '{"from":"a back end"}'],
  ['publish', room, 'a text'],
  ['publish', [room, 'elsewhere'], '{"to":"two"}'],
  ['channelStats'],
  ['members'],
  ['rooms'],
  ['roomMembers', room],
  ['allRoomMembers'],
];

(async () => {
  for (const [method, ...words] of calls) {
    const answer = await promisify(back[method].bind(back))(...words).catch((error) => error.message);
    process.stdout.write(JSON.stringify([method, answer]) + '\n');
  }
})();
