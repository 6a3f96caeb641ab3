/* PyTorch's random numbers: the same seed gives the same noise here as in Python. */

const LENGTH = 624;
const AHEAD = 397;

/** The Mersenne Twister of `torch.Generator().manual_seed(seed)`, on the CPU. */
export class Generator {
  constructor(seed) {
    this.words = new Uint32Array(LENGTH);
    this.words[0] = seed;
    for (let i = 1; i < LENGTH; i++) {
      const last = this.words[i - 1] ^ (this.words[i - 1] >>> 30);
      this.words[i] = Math.imul(1812433253, last) + i;
    }
    this.place = LENGTH;
  }

  /** Draw a whole number of 32 bits. */
  next() {
    if (this.place === LENGTH) this.#twist();
    let word = this.words[this.place++];
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  #twist() {
    const { words } = this;
    for (let i = 0; i < LENGTH; i++) {
      const mixed =
        (words[i] & 0x80000000) | (words[(i + 1) % LENGTH] & 0x7fffffff);
      const twisted = (mixed >>> 1) ^ (mixed & 1 ? 0x9908b0df : 0);
      words[i] = words[(i + AHEAD) % LENGTH] ^ twisted;
    }
    this.place = 0;
  }
}

/** `torch.rand(count)`: uniform in [0, 1), float32. */
export function rand(generator, count) {
  return Float32Array.from({ length: count }, () => (generator.next() & 0xffffff) / 2 ** 24);
}

/** `torch.randn(count)`: standard normal, float32; `count` is a multiple of 16. */
export function randn(generator, count) {
  if (count % 16) throw new RangeError(`count must be a multiple of 16, got ${count}`);
  const drawn = rand(generator, count);
  for (let block = 0; block < count; block += 16) {
    for (let i = block; i < block + 8; i++) {
      const radius = Math.sqrt(-2 * Math.log(1 - drawn[i])); // Box and Muller
      const angle = 2 * Math.PI * drawn[i + 8];
      drawn[i] = radius * Math.cos(angle);
      drawn[i + 8] = radius * Math.sin(angle);
    }
  }
  return drawn;
}
