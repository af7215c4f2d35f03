// Seeded random draws, the same as include/loadtest/scenarios/draws.py gives: splitmix32, integer arithmetic only.

const GOLDEN = 0x9e3779b9;

export class Draws {
  constructor(...key) {
    this.state = 0;
    for (const part of key) {
      this.state = (this.state ^ part) >>> 0;
      this.state = this.next();
    }
  }

  next() {
    this.state = (this.state + GOLDEN) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }

  // A whole number from 0 to bound - 1.
  below(bound) {
    return this.next() % bound;
  }

  // A number from low (included) to high (excluded).
  uniform(low, high) {
    return low + (high - low) * (this.next() / 4294967296);
  }

  // One item, each equally likely.
  pick(items) {
    return items[this.below(items.length)];
  }

  // A Fisher-Yates shuffle.
  shuffled(items) {
    const cards = [...items];
    for (let last = cards.length - 1; last > 0; last -= 1) {
      const other = this.below(last + 1);
      [cards[last], cards[other]] = [cards[other], cards[last]];
    }
    return cards;
  }
}

// Names of a user's scenarios, without end: one shuffled deck after another. `deck` has a name for each card.
export class ScenarioOrder {
  constructor(deck, seed, user) {
    this.deck = deck;
    this.seed = seed;
    this.user = user;
    this.number = 0;
    this.cards = [];
  }

  next() {
    if (this.cards.length === 0) {
      this.cards = new Draws(this.seed, this.user, this.number, 1).shuffled(this.deck);
      this.number += 1;
    }
    return this.cards.shift();
  }
}

// The rank of one draw, by the cumulative weights of all ranks.
export function zipfRank(cumulative, draws) {
  const position = draws.uniform(0, cumulative[cumulative.length - 1]);
  let [low, high] = [0, cumulative.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (position < cumulative[middle]) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return Math.min(low, cumulative.length - 1);
}
