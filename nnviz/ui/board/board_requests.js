// The board's requests to the server: for what it misses, and to start over. Every request names whom and what it is about,
// so that none is answered for something that is not shown any more.

import { isFull } from "./board_memory.js";

// How long nothing is asked after the viewer has gone to another page (ms). Until that page begins to show, Streamlit sends
// whatever is asked as if the page before were still there, and the new page may be lost or drawn twice.
const LEAVING = 5000;
const AROUND = 8; // pictures that are asked for at once where the chosen one is not here

export class Requests {
  constructor(board) {
    this.board = board;
    this.isOpen = false; // whether one is to be answered
    this.uselessAnswers = 0; // answers in a row that brought nothing
    this.quietUntil = 0;
  }

  // A message has come; `missed` messages before it were already known to be lost.
  answered(message, missed) {
    this.restarting = undefined;
    clearTimeout(this.retryTimer);
    const isOfUse = message.history.length || message.head.recovered || !this.isOpen;
    this.uselessAnswers = isOfUse ? 0 : this.uselessAnswers + 1;
    this.isOpen = false;
    if (this.board.store.lost.size > missed) this.send({});
  }

  send(fields) {
    const request = this.envelope(fields);
    if (!this.isQuiet) this.board.sendRequest(request);
  }

  // A request that is about to be sent.
  envelope(fields) {
    const { session, generation, identity, lost } = this.board.store;
    this.isOpen = true;
    return { session, generation, identity, lost: [...lost], ...fields };
  }

  get isQuiet() {
    return performance.now() < this.quietUntil;
  }

  // The server takes this browser for another one (a reload, another page in between): start over. What is asked while
  // a script runs may get lost, so it is asked again until the answer is here.
  requestRestart() {
    const { session, generation } = this.board.store;
    const name = `${session}.${generation}`;
    if (this.restarting === name) return;
    this.restarting = name;
    this.uselessAnswers = 0;
    this.send({ restart: Math.random().toString(36).slice(2) });
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => {
      this.restarting = undefined;
      if (this.board.root.isConnected) this.requestRestart();
    }, 4000);
  }

  // Ask for what is missing, one question at a time, when nothing is left to draw.
  pace() {
    clearTimeout(this.timer);
    const { store, follows, wanted, root } = this.board;
    // What never came of the newest comes by itself.
    const isExact = store.steps.length && !store.has(wanted) && !(follows && store.misses(wanted));
    const exact = isExact ? store.around(wanted, AROUND) : [];
    const missing = (isFull(this.board) ? 0 : store.missing) + store.lost.size;
    if (!store.identity || !(missing || exact.length) || document.hidden || !root.isConnected) return;
    // A live board gets more with each tick anyway; an answer that did not come is asked for again.
    const wait = this.isOpen ? 5000 : exact.length ? 60 : store.head.live ? 1500 : 30;
    this.timer = setTimeout(() => {
      if (this.uselessAnswers > 5) this.requestRestart();
      else this.send({ wanted: exact });
      this.pace();
    }, wait);
  }

  leave() {
    this.quietUntil = performance.now() + LEAVING;
  }

  resume() {
    this.quietUntil = 0;
  }

  suspend() {
    clearTimeout(this.timer);
  }

  stop() {
    this.suspend();
    clearTimeout(this.retryTimer);
  }
}
