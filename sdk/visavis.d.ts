/** Types of the drop-in SDK, `visavis.js`. */

export = Scaledrone;
export as namespace Scaledrone;

declare class Scaledrone {
  /** Connects to a channel at once; `open` tells how it went. */
  constructor(channel: string, options?: Scaledrone.Options);

  /**
   * This connection's id, once `open` has come. It stays the same when the connection comes back, but for a server that
   * does not know it any more; messages that carry a former one come with this one.
   */
  readonly clientId: string | undefined;

  /** Promises this drone once it is connected; fails with what `open` says, or where it is closed before. */
  readonly ready: Promise<this>;

  /** Joins a room; `historyCount` asks for that many of its last messages. */
  subscribe(room: string, options?: { historyCount?: number }): Scaledrone.Room;
  unsubscribe(room: string): void;
  /** To everybody in a room, the sender included if it is in the room. Waits for the connection if that is away; throws where too much waits already. */
  publish(options: { room: string; message: unknown }): void;
  /**
   * With a JSON Web Token, on channels that require it. Or with a function that gives one: it is called on each new
   * connection and before a token ends, and again after a while where it fails.
   */
  authenticate(token: string | ((clientId: string) => string | Promise<string>)): void;
  /** The id that this client has now, for any that it ever had; another id as it is. */
  currentId(id: string): string;
  /** The `iceServers` of an RTCPeerConnection: this server's STUN and TURN, with a credential for a while. */
  iceServers(): Promise<RTCIceServer[]>;
  /** Ends the connection for good. */
  close(): void;

  on<E extends keyof Scaledrone.DroneEvents>(event: E, callback: Scaledrone.DroneEvents[E], context?: unknown): this;
  once<E extends keyof Scaledrone.DroneEvents>(event: E, callback: Scaledrone.DroneEvents[E], context?: unknown): this;
  off<E extends keyof Scaledrone.DroneEvents>(event?: E, callback?: Scaledrone.DroneEvents[E]): this;
}

declare namespace Scaledrone {
  interface Options {
    /** Shown to others as `clientData`. */
    data?: unknown;
    /** `wss://host/v3/websocket`, or what was written for SockJS; without it, the server that the script came from, or the page's. */
    url?: string;
    /** Whether a lost connection is made again by itself; it is by default. */
    autoReconnect?: boolean;
    /** Writes every frame to the console. */
    debug?: boolean;
    /** For places without a global WebSocket, such as older Node: a class with the same interface. */
    WebSocket?: new (url: string) => WebSocket;
    /** `sockjs` for old pages; the WebSocket serves them. */
    type?: string;
  }

  interface DroneEvents {
    /** The connection stands for the first time, or the server refused it. */
    open(error?: Error): void;
    /** The token was taken, for the first time; or what was wrong with it, each time. */
    authenticate(error?: Error): void;
    /** Whatever went wrong and has no listener where it belongs. */
    error(error: unknown): void;
    /** The connection is lost and is being made again. */
    disconnect(): void;
    reconnect(): void;
    /** The connection is over for good. */
    close(event: { code: number; reason: string }): void;
  }

  interface Room {
    readonly name: string;
    /** Promises this room once it is open; fails with what its `open` says, or where it is left, subscribed to once more, or closed before. */
    readonly ready: Promise<this>;
    unsubscribe(): void;
    on<E extends keyof RoomEvents>(event: E, callback: RoomEvents[E], context?: unknown): this;
    once<E extends keyof RoomEvents>(event: E, callback: RoomEvents[E], context?: unknown): this;
    off<E extends keyof RoomEvents>(event?: E, callback?: RoomEvents[E]): this;
  }

  interface RoomEvents {
    open(error?: Error): void;
    message(message: Message): void;
    /** The older form of `message`. */
    data(data: any, member?: Member | null): void;
    history_message(message: Message): void;
    /** Something may have been said while the connection was away that does not come late as `message`. */
    gap(): void;
    /** Everybody in an observable room, the newest first; comes with each subscription. */
    members(members: Member[]): void;
    member_join(member: Member): void;
    member_leave(member: Member): void;
  }

  interface Message {
    data: any;
    id: string;
    /** Seconds since 1970. */
    timestamp: number;
    /** Who said it: `drone.clientId` where it was this client. Absent on messages that came through REST. */
    clientId?: string;
    /** Of observable rooms only. */
    member?: Member | null;
  }

  interface Member {
    id: string;
    authData?: any;
    clientData?: any;
    /** The name of its device, for which the server vouches; only of who has shown a secret of one. */
    device?: string;
  }
}
