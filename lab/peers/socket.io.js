// Rooms on socket.io, over WebSocket alone.
import { createServer } from "node:http";
import { Server } from "socket.io";

const [port] = process.argv.slice(2);
const server = createServer();
const io = new Server(server, { transports: ["websocket"], serveClient: false });
let messages = 0;

io.on("connection", (socket) => {
  socket.on("subscribe", (room, done) => {
    socket.join(room);
    done();
  });
  socket.on("publish", (room, message) => {
    const timestamp = Math.floor(Date.now() / 1000);
    io.to(room).emit("publish", { room, message, client_id: socket.id, id: String(messages++), timestamp });
  });
});
server.listen(Number(port), "127.0.0.1", 4096);
