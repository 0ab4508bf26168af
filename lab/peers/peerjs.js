// The signaling server of PeerJS as it comes, but for its limit of clients.
import { PeerServer } from "peer";

const [port] = process.argv.slice(2);
PeerServer({ host: "127.0.0.1", port: Number(port), path: "/", concurrent_limit: 100_000 });
