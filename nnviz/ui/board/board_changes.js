// What the viewer changes on the board: the section that is open, the choices in cards. It shows at once, as far as it can,
// and is told to the server until a message says that it has been heard.

const RETRY_AFTER = 4000; // what is asked while a script runs may get lost (ms)
const TRIES = 5;

export class Changes {
  constructor(board) {
    this.board = board;
    this.waiting = []; // {number, section} or {number, figure, name, value}, of what has not been heard yet
    this.last = 0;
  }

  add(change) {
    const { section, figure, name } = change;
    const isOver = (other) => (section === undefined ? other.figure === figure && other.name === name : other.section !== undefined);
    // Numbers go up over reloads of the page too: the server's memory outlives them.
    this.last = Math.max(this.last + 1, Date.now());
    this.waiting = [...this.waiting.filter((other) => !isOver(other)), { number: this.last, ...change }];
    this.tries = 0;
    this.send();
  }

  send() {
    clearTimeout(this.timer);
    if (!this.waiting.length || this.tries++ >= TRIES) return this.acknowledge(Infinity);
    const { store, wanted, follows, requests } = this.board;
    const want = follows || wanted === undefined ? [] : store.around(wanted, 1);
    this.timer = setTimeout(() => this.board.root.isConnected && this.send(), RETRY_AFTER);
    if (!requests.isQuiet) this.board.sendChange({ changes: this.waiting, request: store.session ? requests.envelope({ want }) : undefined });
  }

  // The server has heard of all changes up to this number: from here on its messages say how things are.
  acknowledge(number) {
    const before = this.waiting.length;
    this.waiting = this.waiting.filter((change) => change.number > number);
    if (!this.waiting.length) clearTimeout(this.timer);
    return this.waiting.length !== before;
  }

  // The section that the viewer has opened last, undefined where the server has heard of it.
  get section() {
    return this.waiting.find((change) => change.section !== undefined)?.section;
  }

  // The value that the viewer has given to a choice last, undefined as above.
  value(figure, name) {
    return this.waiting.find((change) => change.figure === figure && change.name === name)?.value;
  }

  // Whether a choice of the figure waits to be heard of.
  waits(figure) {
    return this.waiting.some((change) => change.figure === figure);
  }

  stop() {
    clearTimeout(this.timer);
  }
}
