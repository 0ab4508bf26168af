// Rooms on Node's `ws`, in the words that this project speaks.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { WebSocketServer } from "ws";

const [port, certificate, key] = process.argv.slice(2);
const server = certificate
  ? createTlsServer({ cert: readFileSync(certificate), key: readFileSync(key) })
  : createServer();
const rooms = new Map();
let clients = 0;
let messages = 0;

new WebSocketServer({ server, perMessageDeflate: false }).on("connection", (socket) => {
  const id = `c${clients++}`;
  const entered = [];
  socket.on("message", (text) => {
    const said = JSON.parse(text);
    switch (said.type) {
      case "handshake":
        socket.send(JSON.stringify({ callback: said.callback, client_id: id }));
        break;
      case "subscribe":
        if (!rooms.has(said.room)) rooms.set(said.room, new Set());
        rooms.get(said.room).add(socket);
        entered.push(said.room);
        socket.send(JSON.stringify({ callback: said.callback }));
        break;
      case "publish": {
        const text = published(said, id);
        for (const member of rooms.get(said.room) ?? []) member.send(text);
        break;
      }
    }
  });
  socket.on("close", () => {
    for (const room of entered) rooms.get(room).delete(socket);
  });
});
server.listen(Number(port), "127.0.0.1", 4096);

function published({ room, message }, client_id) {
  const timestamp = Math.floor(Date.now() / 1000);
  return JSON.stringify({ type: "publish", room, message, client_id, id: String(messages++), timestamp });
}
