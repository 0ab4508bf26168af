/*
 * The visavis SDK: a drop-in for Scaledrone's JavaScript client, in one file and without a build.
 *
 *   <script src="https://your-server/scaledrone.min.js"></script>
 *   const drone = new Scaledrone('CHANNEL_ID');
 *   const room = drone.subscribe('observable-lobby');
 *   room.on('members', members => …);
 *   room.on('message', ({ data, member }) => …);
 *   drone.publish({ room: 'observable-lobby', message: { hello: 'world' } });
 *
 * Without a `url` it talks to the server that this script came from.
 *
 * Events of a drone: open(error), authenticate(error), error(error), disconnect, reconnect, close(event).
 * Events of a room:  open(error), message(message), data(message, member), history_message(message),
 *                    members(members), member_join(member), member_leave(member).
 *
 * Where it does more than the original:
 *   - an interrupted connection comes back with the same client id, authenticated and subscribed as before;
 *   - what is published before the connection is open, or while it is away, waits and is sent then;
 *   - `open` comes even if the first attempt to connect failed;
 *   - `drone.iceServers()` promises what RTCPeerConnection wants: the server's own STUN and TURN.
 */
(function (root) {
  'use strict';

  const ABNORMAL_CLOSURE = 1006; // the only close code that is worth another attempt
  const MAX_ATTEMPTS = 26;
  const MAX_WAITING = 1000; // messages kept while the connection is away
  const HISTORY_LIMIT = 100; // messages of history that a room can give

  // Only while the script itself runs does the document say where it came from.
  const scriptUrl = typeof document === 'object' && document.currentScript ? document.currentScript.src : '';

  class Emitter {
    #listeners = new Map(); // event name → [{ callback, context, once }]

    on(names, callback, context) {
      return this.#add(names, { callback, context, once: false });
    }

    once(names, callback, context) {
      return this.#add(names, { callback, context, once: true });
    }

    /** Without names: of every event. Without a callback: every listener. */
    off(names, callback) {
      const events = names ? names.split(/\s+/) : [...this.#listeners.keys()];
      for (const name of events) {
        const kept = callback ? this.#of(name).filter((listener) => listener.callback !== callback) : [];
        this.#listeners.set(name, kept);
      }
      return this;
    }

    trigger(name, ...values) {
      for (const listener of [...this.#of(name)]) {
        if (listener.once) this.off(name, listener.callback);
        listener.callback.apply(listener.context ?? this, values);
      }
      return this;
    }

    /** Whether anybody listens to this event. */
    hears(name) {
      return this.#of(name).length > 0;
    }

    #add(names, listener) {
      for (const name of names.split(/\s+/)) {
        this.#listeners.set(name, [...this.#of(name), listener]);
      }
      return this;
    }

    #of(name) {
      return this.#listeners.get(name) ?? [];
    }
  }

  class Room extends Emitter {
    #drone;
    #members = new Map(); // client id → member, of an observable room
    #history = new Map(); // index → message that came before an older one
    #nextIndex = 0;

    constructor(name, historyCount, drone) {
      super();
      this.name = name;
      this.historyCount = historyCount;
      this.isSubscribed = false; // on the connection of the moment
      this.hasOpened = false; // on any connection
      this.#drone = drone;
    }

    unsubscribe() {
      this.off();
      this.#drone.unsubscribe(this.name);
    }

    /** A frame of the server that names this room. */
    handle(frame) {
      switch (frame.type) {
        case 'publish': return this.#handlePublish(frame);
        case 'history_message': return this.#handleHistory(frame);
        case 'observable_members': return this.#handleMembers(frame.data);
        case 'observable_member_join': return this.#handleJoin(frame.data);
        case 'observable_member_leave': return this.#handleLeave(frame.data);
      }
    }

    #handlePublish(frame) {
      const message = messageOf(frame);
      if (this.name.startsWith('observable-') && message.clientId) {
        message.member = this.#members.get(message.clientId) ?? null;
      }
      this.trigger('message', message);
      this.trigger('data', message.data, message.member); // the older form of the same event
    }

    /** History is handed on from the oldest message, in whichever order it comes. */
    #handleHistory(frame) {
      if (!(frame.index >= this.#nextIndex && frame.index < HISTORY_LIMIT)) return;
      this.#history.set(frame.index, messageOf(frame));
      while (this.#history.has(this.#nextIndex)) {
        const message = this.#history.get(this.#nextIndex);
        this.#history.delete(this.#nextIndex++);
        this.trigger('history_message', message);
      }
    }

    #handleMembers(members) {
      this.#members = new Map(members.map((member) => [member.id, member]));
      this.trigger('members', members);
    }

    #handleJoin(member) {
      this.#members.set(member.id, member);
      this.trigger('member_join', member);
    }

    #handleLeave(member) {
      this.#members.delete(member.id);
      this.trigger('member_leave', member);
    }
  }

  class Scaledrone extends Emitter {
    #channel;
    #options;
    #url;
    #socket = null;
    #state = 'connecting'; // → 'handshaken' → 'ready'; 'away' between connections; 'closed' for good
    #rooms = new Map();
    #requests = new Map(); // callback number → { frame, answer }
    #nextCallback = 0;
    #waiting = []; // requests and messages for when the connection is ready
    #attempt = 0;
    #timer = null;
    #hasOpened = false;
    #resume = null; // what gives us the same client id again
    #token = null;

    constructor(channel, options) {
      super();
      requireName(channel, 'Channel ID');
      this.#channel = channel;
      this.#options = { autoReconnect: true, data: null, debug: false, ...options };
      this.#url = this.#options.url || defaultUrl();
      this.clientId = undefined; // known from the `open` event on
      this.#connect();
      // Waiting out the delay makes no sense once the network is known to be back.
      if (typeof root.addEventListener === 'function') {
        root.addEventListener('online', () => this.#state === 'away' && this.#reconnectIn(0));
      }
    }

    /** Joins a room; `historyCount` asks for that many of its last messages. */
    subscribe(name, { historyCount } = {}) {
      requireName(name, 'Room name');
      const room = new Room(name, historyCount, this);
      this.#rooms.set(name, room);
      if (this.#state === 'ready') this.#sendSubscribe(room);
      return room;
    }

    unsubscribe(name) {
      requireName(name, 'Room name');
      const room = this.#rooms.get(name);
      this.#rooms.delete(name);
      if (room && room.isSubscribed) this.#sendFrame({ type: 'unsubscribe', room: name });
    }

    publish({ room, message } = {}) {
      requireName(room, 'Room name');
      if (message === undefined) throw new Error('No message defined');
      if (this.#state === 'closed') throw new Error('Connection is closed');
      this.#sendWhenReady({ frame: { type: 'publish', room, message } });
    }

    /** With a JSON Web Token, on channels that require it. */
    authenticate(token) {
      if (!token) throw new Error('No token defined');
      this.#token = token;
      if (this.#state === 'handshaken' || this.#state === 'ready') this.#sendAuthenticate();
    }

    /** The `iceServers` of an RTCPeerConnection: this server's STUN and TURN, with a credential for a while. */
    iceServers() {
      return new Promise((resolve, reject) => {
        if (this.#state === 'closed') throw new Error('Connection is closed');
        const answer = (error, reply) => (error ? reject(error) : resolve(reply.ice_servers));
        this.#sendWhenReady({ frame: { type: 'ice_servers' }, answer, again: true });
      });
    }

    /** Ends the connection for good. */
    close() {
      const socket = this.#socket;
      if (this.#state === 'closed') return;
      if (!socket) return this.#end({ code: 1000, reason: '', wasClean: true });
      this.#options.autoReconnect = false;
      socket.close();
    }

    // The connection and its states

    #connect() {
      const WebSocket = this.#options.WebSocket || root.WebSocket;
      if (!WebSocket) throw new Error('No WebSocket here: give one as the option `WebSocket`');
      this.#state = 'connecting';
      const socket = new WebSocket(this.#url);
      this.#socket = socket;
      socket.onopen = () => this.#handleOpen();
      socket.onmessage = (event) => this.#handleFrame(JSON.parse(event.data));
      socket.onerror = (error) => this.trigger('error', error);
      socket.onclose = (event) => this.#handleClose(event);
    }

    #handleOpen() {
      const frame = {
        type: 'handshake',
        channel: this.#channel,
        version: 2,
        client_data: this.#options.data,
        resume: this.#resume,
      };
      this.#request({ frame, answer: (error, reply) => this.#handleHandshake(error, reply) });
    }

    #handleHandshake(error, reply) {
      if (error) return this.#tell(this.#hasOpened ? 'error' : 'open', error);
      this.clientId = reply.client_id;
      this.#resume = reply.resume ?? null;
      this.#attempt = 0;
      this.#state = 'handshaken';
      const isFirst = !this.#hasOpened;
      this.#hasOpened = true;
      if (this.#token) this.#sendAuthenticate();
      if (!reply.require_auth) this.#handleReady();
      this.#tell(isFirst ? 'open' : 'reconnect');
    }

    #handleReady() {
      this.#state = 'ready';
      for (const room of this.#rooms.values()) if (!room.isSubscribed) this.#sendSubscribe(room);
      for (const request of this.#waiting.splice(0)) this.#request(request);
    }

    #handleClose(event) {
      const isSudden = event.code === ABNORMAL_CLOSURE && !String(event.reason ?? '').includes('exceeded');
      this.#socket = null;
      this.#forgetConnection();
      if (!this.#options.autoReconnect || !isSudden || this.#attempt >= MAX_ATTEMPTS) return this.#end(event);
      const isNews = this.#attempt === 0;
      this.#state = 'away';
      this.#reconnectIn(this.#attempt++ * 1000 * (0.5 + Math.random()));
      if (isNews) this.trigger('disconnect');
    }

    #reconnectIn(milliseconds) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#connect(), milliseconds);
    }

    /** Subscriptions and authentication are made anew with the next connection; other requests are asked again. */
    #forgetConnection() {
      for (const room of this.#rooms.values()) room.isSubscribed = false;
      const unanswered = [...this.#requests.values()].filter((request) => request.again);
      this.#waiting.unshift(...unanswered);
      this.#requests.clear();
    }

    #end(event) {
      clearTimeout(this.#timer);
      this.#state = 'closed';
      for (const { answer } of this.#waiting.splice(0)) if (answer) answer(new Error('Connection is closed'));
      this.trigger('close', event);
    }

    // Frames

    #handleFrame(frame) {
      this.#log('received', frame);
      const request = this.#requests.get(frame.callback);
      if (request) {
        this.#requests.delete(frame.callback);
        request.answer(frame.error ? new Error(frame.error) : undefined, frame);
      } else if (frame.error) {
        this.trigger('error', new Error(frame.error));
      } else if (this.#rooms.has(frame.room)) {
        this.#rooms.get(frame.room).handle(frame);
      }
    }

    #sendSubscribe(room) {
      // History and `open` belong to the first time only: after a later connection they would be repeated.
      const frame = { type: 'subscribe', room: room.name, history_count: room.historyCount };
      room.historyCount = undefined;
      room.isSubscribed = true;
      const answer = (error) => {
        if (!room.hasOpened || error) this.#tell('open', error, room);
        if (!error) room.hasOpened = true;
      };
      this.#request({ frame, answer });
    }

    #sendAuthenticate() {
      const answer = (error) => {
        if (!error) this.#handleReady();
        this.#tell('authenticate', error);
      };
      this.#request({ frame: { type: 'authenticate', token: this.#token }, answer });
    }

    #sendWhenReady(request) {
      if (this.#state === 'ready') return this.#request(request);
      if (this.#waiting.length >= MAX_WAITING) throw new Error('Connection is closed');
      this.#waiting.push(request);
    }

    #request(request) {
      const frame = { ...request.frame };
      if (request.answer) {
        frame.callback = this.#nextCallback++;
        this.#requests.set(frame.callback, request);
      }
      this.#sendFrame(frame);
    }

    #sendFrame(frame) {
      this.#log('sent', frame);
      this.#socket.send(JSON.stringify(frame));
    }

    // Telling

    /** An error that nobody listens for where it belongs goes to the drone's `error` event. */
    #tell(name, error, emitter = this) {
      if (emitter.hears(name)) emitter.trigger(name, error);
      else if (error) this.trigger('error', error);
    }

    #log(what, frame) {
      if (this.#options.debug) console.log('visavis', what, frame);
    }
  }

  function messageOf(frame) {
    const message = { data: frame.message, id: frame.id, timestamp: frame.timestamp };
    if (frame.client_id) message.clientId = frame.client_id;
    return message;
  }

  function requireName(name, what) {
    if (!name) throw new Error(`${what} is not defined`);
    if (typeof name !== 'string') throw new Error(`${what} must be of type string`);
  }

  function defaultUrl() {
    const base = scriptUrl || (typeof location === 'object' ? location.href : '');
    if (!base.startsWith('http')) throw new Error('No server is known: give its address as the option `url`');
    const url = new URL('/v3/websocket', base);
    url.protocol = url.protocol.replace('http', 'ws');
    return url.href;
  }

  if (typeof module === 'object' && module.exports) module.exports = Scaledrone;
  else root.ScaleDrone = root.Scaledrone = Scaledrone;
})(globalThis);
