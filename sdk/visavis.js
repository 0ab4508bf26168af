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
 * Events of a room:  open(error), message(message), data(message, member), history_message(message), gap,
 *                    members(members), member_join(member), member_leave(member).
 *
 * Where it does more than the original:
 *   - an interrupted connection comes back with the same client id, authenticated and subscribed as before;
 *   - what others said meanwhile comes late as `message`, as far as the channel keeps its history; `gap` says
 *     that something may be missing;
 *   - what is published before the connection is open, or while it is away, waits and is sent then;
 *   - `open` comes even if the first attempt to connect failed;
 *   - `await drone.ready` and `await room.ready` say the same as the first `open`;
 *   - `drone.authenticate(async (clientId) => token)` is asked for a new token whenever one is needed;
 *   - `drone.iceServers()` promises what RTCPeerConnection wants: the server's own STUN and TURN.
 */
(function (root) {
  'use strict';

  // The close codes that are worth another attempt: nothing was said, or a server or a proxy before it goes away or fails.
  const TEMPORARY = [1006, 1001, 1011, 1012, 1013];
  const MAX_ATTEMPTS = 26;
  const STABLE = 5000; // milliseconds after which a connection that breaks is no failed attempt
  const MAX_WAITING = 1000; // messages kept while the connection is away
  const MAX_WAITING_LENGTH = 4 * 1024 * 1024; // and characters of JSON in them
  // Messages are sent no faster than so many at once and a second: servers end a connection that sends more than 1,000 at
  // once and 100 a second, whatever it sends.
  const AT_ONCE = 900;
  const PER_SECOND = 95;
  const DRAIN = 200; // milliseconds until more of what waits is sent
  const MAX_FORMER = 2000; // members that are remembered of those who have left
  const LONGEST_DELAY = 2 ** 31 - 1; // milliseconds that a timer can wait
  const FIRST_RETRY = 1000; // milliseconds until an application is asked for a token again that it could not give
  const LAST_RETRY = 60_000;

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

  /** A promise beside events: what becomes of it is an error of nobody who does not ask. */
  class Ready {
    constructor() {
      this.promise = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
      this.promise.catch(() => {});
    }
  }

  /** Counts what is sent on one connection. */
  class Pace {
    #count = 0;
    #counted = now();

    take() {
      this.#forget();
      this.#count += 1;
    }

    /** How many messages may be sent now. */
    allowance() {
      this.#forget();
      return Math.max(0, Math.floor(AT_ONCE - this.#count));
    }

    #forget() {
      const passed = now() - this.#counted;
      this.#counted += passed;
      this.#count = Math.max(0, this.#count - (passed * PER_SECOND) / 1000);
    }
  }

  class Room extends Emitter {
    #drone;
    #historyCount;
    #ready = new Ready();
    #members = new Map(); // client id → member, of an observable room
    #former = new Map(); // who was there before: what they have said may come later
    #last; // the id of what was heard last: from there on messages may have been missed
    #first; // the place where it was entered first: what was said before is history
    #asked; // the place that the present subscription goes on from
    #isAnswered = false; // the present subscription: whatever comes before the answer is meant for another
    #late = 0; // so many messages of before are on their way
    #place; // where the server will be then

    constructor(name, historyCount, drone) {
      super();
      this.name = name;
      this.isSubscribed = false; // on the connection of the moment
      this.hasOpened = false; // on any connection
      this.#historyCount = historyCount;
      this.#drone = drone;
    }

    /** Promises this room once it is open. */
    get ready() {
      return this.#ready.promise;
    }

    /** History and `open` belong to the first time only: later it is what was missed that is asked for. */
    subscription() {
      const subscribe = { type: 'subscribe', room: this.name };
      this.#isAnswered = false;
      this.#asked = this.#last;
      if (this.#asked) return { ...subscribe, since: this.#asked };
      return { ...subscribe, since: '', history_count: this.#historyCount };
    }

    /** The server's answer to a subscription. */
    handleSubscribed(error, reply) {
      if (error) return this.#ready.reject(error);
      // Of what was said since an earlier subscription that was interrupted before anything came, some may not come.
      const isGap = reply.gap || (this.hasOpened && !this.#asked);
      this.hasOpened = true;
      this.#isAnswered = true;
      this.#late = reply.past ?? 0;
      this.#place = reply.at;
      this.#first ??= reply.at;
      if (this.#late === 0) this.#catchUp();
      this.#ready.resolve(this);
      if (isGap) this.trigger('gap');
    }

    /** Nothing is heard of it any more. */
    giveUp(error) {
      this.#ready.reject(error);
    }

    unsubscribe() {
      this.off();
      this.#drone.leave(this);
    }

    /** A frame of the server that names this room. */
    handle(frame) {
      if (frame.type === 'observable_members') return this.#handleMembers(frame.data); // comes before the answer
      if (!this.#isAnswered) return;
      switch (frame.type) {
        case 'publish': return this.#handlePublish(frame);
        case 'history_message': return this.#handleLate(frame);
        case 'observable_member_join': return this.#handleJoin(frame.data);
        case 'observable_member_leave': return this.#handleLeave(frame.data);
      }
    }

    /** History, then what was missed: late, but in order, since what is said now waits behind it. */
    #handleLate(frame) {
      const isHistory = !this.#first || !isLater(frame.id, this.#first);
      const message = isHistory ? this.#messageOf(frame) : this.#spokenOf(frame);
      this.#last = frame.id;
      this.#late -= 1;
      if (this.#late === 0) this.#catchUp();
      if (isHistory) this.trigger('history_message', message);
      else this.#hand(message);
    }

    /** All that was said before has come. */
    #catchUp() {
      this.#last = this.#place;
    }

    #handlePublish(frame) {
      this.#last = frame.id;
      this.#hand(this.#spokenOf(frame));
    }

    #hand(message) {
      this.trigger('message', message);
      this.trigger('data', message.data, message.member); // the older form of the same event
    }

    #spokenOf(frame) {
      const message = this.#messageOf(frame);
      if (this.name.startsWith('observable-') && message.clientId) {
        message.member = this.#members.get(message.clientId) ?? this.#former.get(message.clientId) ?? null;
      }
      return message;
    }

    #messageOf(frame) {
      const message = { data: frame.message, id: frame.id, timestamp: frame.timestamp };
      if (frame.client_id) message.clientId = this.#drone.currentId(frame.client_id);
      return message;
    }

    #handleMembers(all) {
      const members = all.filter((member) => !this.#isGhost(member));
      for (const member of this.#members.values()) this.#remember(member);
      this.#members = new Map(members.map((member) => [member.id, member]));
      this.trigger('members', members);
    }

    #handleJoin(member) {
      if (this.#isGhost(member)) return;
      this.#members.set(member.id, member);
      this.trigger('member_join', member);
    }

    #handleLeave(member) {
      if (this.#isGhost(member)) return;
      this.#members.delete(member.id);
      this.#remember(member);
      this.trigger('member_leave', member);
    }

    #remember(member) {
      this.#former.delete(member.id);
      this.#former.set(member.id, member);
      if (this.#former.size > MAX_FORMER) this.#former.delete(this.#former.keys().next().value);
    }

    /** Ourselves, as we were called on an earlier connection: nobody has come or gone. */
    #isGhost(member) {
      return this.#drone.currentId(member.id) !== member.id;
    }
  }

  class Scaledrone extends Emitter {
    #channel;
    #options;
    #url;
    #socket = null;
    #state = 'connecting'; // → 'handshaken' → 'ready'; 'away' between connections; 'closed' for good
    #rooms = new Map();
    #entering = []; // the rooms of the subscriptions that are not answered yet
    #requests = new Map(); // callback number → { frame, answer }
    #nextCallback = 0;
    #waiting = []; // requests and messages for when the connection is ready: { frame, answer, again, text }
    #waitingLength = 0;
    #drain = null; // the timer of what is still waiting then
    #pace = new Pace();
    #isClosing = false;
    #attempt = 0;
    #opened = Infinity; // when the connection of the moment was
    #timer = null;
    #hasOpened = false;
    #ready = new Ready();
    #resume = null; // what gives us the same client id again
    #formerIds = new Set(); // what we were called where that did not work
    #token = null; // or a function that gives one
    #isAuthenticated = false; // told of the token of the moment
    #requiresAuth = false;
    #renewal = null;
    #retry = FIRST_RETRY;

    constructor(channel, options) {
      super();
      requireName(channel, 'Channel ID');
      this.#channel = channel;
      this.#options = { autoReconnect: true, data: null, debug: false, ...options };
      this.#url = socketUrl(this.#options.url || scriptUrl || pageUrl(), !this.#options.url);
      this.clientId = undefined; // known from the `open` event on
      this.#connect();
      // Waiting out the delay makes no sense once the network is known to be back.
      if (typeof root.addEventListener === 'function') root.addEventListener('online', this.#handleOnline);
    }

    /** Promises this drone once it is connected. */
    get ready() {
      return this.#ready.promise;
    }

    /** Joins a room; `historyCount` asks for that many of its last messages. */
    subscribe(name, { historyCount } = {}) {
      requireName(name, 'Room name');
      const room = new Room(name, historyCount, this);
      this.#rooms.get(name)?.giveUp(new Error('Subscribed once more'));
      if (this.#state === 'closed') room.giveUp(new Error('Connection is closed'));
      else this.#rooms.set(name, room);
      if (this.#state === 'ready') this.#sendSubscribe(room);
      return room;
    }

    unsubscribe(name) {
      requireName(name, 'Room name');
      const room = this.#rooms.get(name);
      if (room) this.leave(room);
    }

    /** A room; another that has taken its place stays. */
    leave(room) {
      if (this.#rooms.get(room.name) !== room) return;
      this.#rooms.delete(room.name);
      room.giveUp(new Error('Unsubscribed'));
      if (room.isSubscribed) this.#sendFrame({ type: 'unsubscribe', room: room.name });
    }

    publish({ room, message } = {}) {
      requireName(room, 'Room name');
      if (message === undefined) throw new Error('No message defined');
      this.#requireOpen();
      this.#sendWhenReady({ frame: { type: 'publish', room, message } });
    }

    /**
     * With a JSON Web Token, on channels that require it. Or with a function, from our client id to a token or the promise
     * of one: it is called again on each new connection and before a token ends.
     */
    authenticate(token) {
      if (!token) throw new Error('No token defined');
      this.#token = token;
      this.#isAuthenticated = false;
      if (this.#state === 'handshaken' || this.#state === 'ready') this.#sendAuthenticate();
    }

    /** The `iceServers` of an RTCPeerConnection: this server's STUN and TURN, with a credential for a while. */
    iceServers() {
      return new Promise((resolve, reject) => {
        this.#requireOpen();
        const answer = (error, reply) => (error ? reject(error) : resolve(reply.ice_servers));
        this.#sendWhenReady({ frame: { type: 'ice_servers' }, answer, again: true });
      });
    }

    /** Ends the connection for good. Where it is open, what waits is sent before. */
    close() {
      if (this.#isClosing || this.#state === 'closed') return;
      if (!this.#socket) return this.#end({ code: 1000, reason: '', wasClean: true });
      this.#isClosing = true;
      this.#options.autoReconnect = false;
      if (!this.#drain) this.#closeSocket();
    }

    /** The id that we have now, for any that we ever had; another id as it is. */
    currentId(id) {
      return this.#formerIds.has(id) ? this.clientId : id;
    }

    // The connection and its states

    #connect() {
      const WebSocket = this.#options.WebSocket || root.WebSocket;
      if (!WebSocket) throw new Error('No WebSocket here: give one as the option `WebSocket`');
      this.#state = 'connecting';
      this.#pace = new Pace();
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
      if (error) {
        this.#ready.reject(error);
        return this.#tell(this.#hasOpened ? 'error' : 'open', error);
      }
      this.#rename(reply.client_id);
      this.#resume = reply.resume ?? null;
      this.#opened = now();
      this.#state = 'handshaken';
      this.#requiresAuth = Boolean(reply.require_auth);
      const isFirst = !this.#hasOpened;
      this.#hasOpened = true;
      if (this.#token) this.#sendAuthenticate();
      // What a function gives tells others who this is: it comes before the rooms, as a plain token does.
      if (!this.#requiresAuth && typeof this.#token !== 'function') this.#handleReady();
      this.#ready.resolve(this);
      this.#tell(isFirst ? 'open' : 'reconnect');
    }

    #rename(clientId) {
      if (this.clientId && this.clientId !== clientId) this.#formerIds.add(this.clientId);
      this.#formerIds.delete(clientId);
      this.clientId = clientId;
    }

    #handleReady() {
      this.#state = 'ready';
      for (const room of this.#rooms.values()) if (!room.isSubscribed) this.#sendSubscribe(room);
      if (!this.#drain) this.#sendWaiting();
    }

    #sendWaiting() {
      for (const request of this.#waiting.splice(0, this.#pace.allowance())) {
        this.#waitingLength -= request.text.length;
        this.#request(request);
      }
      const hasMore = this.#waiting.length > 0;
      this.#drain = hasMore ? setTimeout(() => this.#sendWaiting(), DRAIN) : null;
      if (this.#isClosing && !hasMore) this.#closeSocket();
    }

    #closeSocket() {
      // Without a code it would be a connection that may come back, and old clients send a code only with a reason.
      this.#socket.close(1000, 'closed');
    }

    #requireOpen() {
      if (this.#isClosing || this.#state === 'closed') throw new Error('Connection is closed');
    }

    #handleClose(event) {
      const isTemporary = TEMPORARY.includes(event.code) && !String(event.reason ?? '').includes('exceeded');
      if (now() - this.#opened > STABLE) this.#attempt = 0;
      this.#opened = Infinity;
      const isNews = this.#attempt === 0 || this.#state !== 'connecting';
      this.#socket = null;
      this.#forgetConnection();
      if (!this.#options.autoReconnect || !isTemporary || this.#attempt >= MAX_ATTEMPTS) return this.#end(event);
      this.#state = 'away';
      this.#reconnectIn(this.#attempt++ * 1000 * (0.5 + Math.random()));
      if (isNews) this.trigger('disconnect');
    }

    #handleOnline = () => this.#state === 'away' && this.#reconnectIn(0);

    #reconnectIn(milliseconds) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#connect(), milliseconds);
    }

    /** Subscriptions and authentication are made anew with the next connection; other requests are asked again. */
    #forgetConnection() {
      clearTimeout(this.#renewal);
      clearTimeout(this.#drain);
      this.#drain = null;
      for (const room of this.#rooms.values()) room.isSubscribed = false;
      const unanswered = [...this.#requests.values()].filter((request) => request.again);
      for (const request of unanswered) this.#wait(request);
      this.#requests.clear();
      this.#entering = [];
    }

    #end(event) {
      clearTimeout(this.#timer);
      if (typeof root.removeEventListener === 'function') root.removeEventListener('online', this.#handleOnline);
      this.#state = 'closed';
      const closed = new Error('Connection is closed');
      this.#ready.reject(closed);
      for (const room of this.#rooms.values()) room.giveUp(closed);
      for (const { answer } of this.#waiting.splice(0)) if (answer) answer(closed);
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
      } else {
        this.#roomOf(frame)?.handle(frame);
      }
    }

    /** Members are those for the first subscription that is not answered yet; its room may have been left meanwhile. */
    #roomOf(frame) {
      const room = this.#rooms.get(frame.room);
      if (frame.type !== 'observable_members') return room;
      return this.#entering.find((entering) => entering.name === frame.room) === room ? room : undefined;
    }

    #sendSubscribe(room) {
      room.isSubscribed = true;
      const isFirst = !room.hasOpened;
      this.#entering.push(room);
      const answer = (error, reply) => {
        this.#entering.splice(this.#entering.indexOf(room), 1);
        if (this.#rooms.get(room.name) !== room) return;
        // Another token may open it.
        if (error) room.isSubscribed = false;
        room.handleSubscribed(error, reply);
        if (isFirst || error) this.#tell('open', error, room);
      };
      this.#request({ frame: room.subscription(), answer });
    }

    #sendAuthenticate() {
      clearTimeout(this.#renewal);
      const socket = this.#socket;
      const wanted = this.#token;
      if (typeof wanted !== 'function') return this.#sendToken(wanted, wanted);
      // Another may be wanted, or the connection be another, when the function has its answer.
      const isCurrent = () => socket === this.#socket && wanted === this.#token && this.#state !== 'closed';
      // A function may throw as well as promise.
      const token = new Promise((resolve) => resolve(wanted(this.clientId)));
      token.then(
        (token) => isCurrent() && this.#sendToken(token, wanted),
        (error) => isCurrent() && this.#handleAuthenticated(error),
      );
    }

    #sendToken(token, wanted) {
      const answer = (error, reply) => wanted === this.#token && this.#handleAuthenticated(error, reply);
      this.#request({ frame: { type: 'authenticate', token, ttl: true }, answer });
    }

    #handleAuthenticated(error, reply) {
      const isNews = error || !this.#isAuthenticated;
      if (!error) {
        this.#isAuthenticated = true;
        this.#retry = FIRST_RETRY;
        this.#handleReady();
      } else if (this.#state === 'handshaken' && !this.#requiresAuth) {
        this.#handleReady();
      }
      if (typeof this.#token === 'function') {
        // By the server's clock, since this computer's may be wrong.
        this.#renewIn(error ? this.#retry : Math.max(900 * (reply.ttl ?? Infinity), FIRST_RETRY));
        if (error) this.#retry = Math.min(this.#retry * 2, LAST_RETRY);
      }
      // Applications subscribe when they hear it; what they have subscribed to is not theirs to do again.
      if (isNews) this.#tell('authenticate', error);
    }

    #renewIn(milliseconds) {
      clearTimeout(this.#renewal);
      this.#renewal = setTimeout(() => this.#sendAuthenticate(), Math.min(milliseconds, LONGEST_DELAY));
    }

    #sendWhenReady(request) {
      const isQuiet = this.#waiting.length === 0 && this.#pace.allowance() > 0;
      if (this.#state === 'ready' && (request.answer || isQuiet)) return this.#request(request);
      if (this.#waiting.length >= MAX_WAITING || this.#waitingLength >= MAX_WAITING_LENGTH) {
        throw new Error('Too many messages are waiting');
      }
      this.#wait(request);
      if (this.#state === 'ready') this.#drain ??= setTimeout(() => this.#sendWaiting(), DRAIN);
    }

    /**
     * Questions come first: somebody waits for the answer, and messages keep their own order. What is in them now counts,
     * whatever becomes of it.
     */
    #wait(request) {
      request.text = JSON.stringify(request.frame);
      this.#waitingLength += request.text.length;
      if (request.answer) this.#waiting.unshift(request);
      else this.#waiting.push(request);
    }

    #request(request) {
      if (!request.answer) return this.#sendFrame(request.frame, request.text);
      const frame = { ...request.frame, callback: this.#nextCallback++ };
      this.#requests.set(frame.callback, request);
      this.#sendFrame(frame);
    }

    #sendFrame(frame, text = JSON.stringify(frame)) {
      this.#log('sent', frame);
      this.#pace.take();
      this.#socket.send(text);
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

  /** Milliseconds by a clock that nobody sets. */
  function now() {
    return performance.now();
  }

  /** Ids are hexadecimal numbers that only grow. */
  function isLater(id, than) {
    return id.length === than.length ? id > than : id.length > than.length;
  }

  function requireName(name, what) {
    if (!name) throw new Error(`${what} is not defined`);
    if (typeof name !== 'string') throw new Error(`${what} must be of type string`);
  }

  function pageUrl() {
    const page = typeof location === 'object' ? location.href : '';
    if (!page.startsWith('http')) throw new Error('No server is known: give its address as the option `url`');
    return page;
  }

  /** Of a script or page only the origin counts; and what is written for SockJS means the WebSocket beside it. */
  function socketUrl(address, isOriginOnly) {
    const url = new URL(address);
    if (isOriginOnly || /^\/v3\/socket\/?$/.test(url.pathname)) url.pathname = '/v3/websocket';
    if (isOriginOnly) url.search = url.hash = '';
    url.protocol = url.protocol.replace('http', 'ws');
    return url.href;
  }

  if (typeof module === 'object' && module.exports) module.exports = Scaledrone;
  else root.ScaleDrone = root.Scaledrone = Scaledrone;
})(globalThis);
