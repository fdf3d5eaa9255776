// Points and lines that the viewer has chosen in pictures, told to the server one after another, each until a message says
// that it has been heard.

const AGAIN = 1500; // what is sent while a script runs may get lost (ms)
const TRIES = 5;

export class PickMessages {
  constructor(board) {
    this.board = board;
    this.waiting = []; // {number, place}; the first one has been sent
    this.last = 0;
  }

  // While one is being answered, only the last point of a drag is remembered.
  add(place) {
    // Numbers go up over reloads of the page too: the server's memory outlives them.
    this.last = Math.max(this.last + 1, Date.now());
    const [sent, ...later] = this.waiting;
    this.waiting = [...(sent ? [sent] : []), ...later.filter((other) => other.place.done), { number: this.last, place }];
    if (!sent) this.begin();
  }

  begin() {
    this.tries = 0;
    this.began = performance.now();
    this.send();
  }

  send() {
    clearTimeout(this.timer);
    if (!this.waiting.length) return;
    // A point that a drag has passed need not be told again.
    if (this.waiting.length > 1 && !this.waiting[0].place.done && this.tries) this.waiting.shift();
    if (this.tries++ >= TRIES) {
      this.waiting.shift();
      return this.begin();
    }
    this.wait();
    const [{ number, place }] = this.waiting;
    this.board.sendPick({ number, ...place });
  }

  wait() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.board.root.isConnected && this.send(), AGAIN);
  }

  // The server has heard of all up to this number. Returns when it was told first, undefined where that was known.
  acknowledge(number) {
    const { began, waiting } = this;
    this.waiting = waiting.filter((pick) => pick.number > number);
    if (this.waiting.length === waiting.length) return undefined;
    this.begin();
    return began;
  }

  stop() {
    clearTimeout(this.timer);
  }
}
