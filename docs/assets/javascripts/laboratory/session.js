/* The page's side of the worker: load models, run them, end it all. */

const RUNTIME = new URL("../../vendor/onnxruntime/", import.meta.url).href;
const FILES = new URL("../../vendor/laboratory/", import.meta.url).href;
const PIXELS = 784;
const RUNTIME_BYTES = 14_300_000; // unpacked; only the progress bar depends on it

/** The denoisers' parts: what a chain of models turns a noisy image into. */
export const CHAINS = {
  clean: ["clean-encoder", "clean-decoder"],
  dense: ["dense-encoder", "dense-decoder"],
  conv: ["conv-encoder", "conv-decoder"],
  unet: ["unet"],
};

/** Say what a denoiser needs for `count` images, one after the other in `input`. */
export function denoising(name, input, count = 1) {
  const isFlat = name === "clean" || name === "dense";
  const shape = isFlat ? [count, 784] : [count, 1, 28, 28];
  return { chain: CHAINS[name], input, shape };
}

async function get(name) {
  const answer = await fetch(FILES + name);
  if (!answer.ok) throw new Error(`${answer.status} ${name}`);
  return answer;
}

/** Load the digits that readers can choose, and what there is to know of the models. */
export async function loadDigits() {
  const [facts, bytes] = await Promise.all([
    get("laboratory.json").then((answer) => answer.json()),
    get("digits.bin").then((answer) => answer.arrayBuffer()),
  ]);
  const pixels = Float32Array.from(new Uint8Array(bytes), (value) => value / 255);
  const digits = facts.digits.map((_, i) => pixels.subarray(i * PIXELS, (i + 1) * PIXELS));
  return { facts, digits };
}

export class Session {
  #worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  #waiting = new Map();
  #count = 0;
  #progress = null;

  constructor() {
    this.#worker.onmessage = ({ data }) => this.#hear(data);
    this.#worker.onerror = (event) => {
      event.preventDefault?.();
      for (const { reject } of this.#waiting.values())
        reject(new Error(event.message || "the worker did not start"));
      this.#waiting.clear();
    };
  }

  /** Load models by name, and the runtime if it is not there yet. */
  async open(names, bytes, progress = () => {}) {
    const sizes = names.map((name) => bytes[`${name}.onnx`] ?? 0);
    const total = sizes.reduce((sum, size) => sum + size, this.isOpen ? 0 : RUNTIME_BYTES);
    let loaded = 0;
    this.#progress = (more) => progress(Math.min(1, (loaded += more) / total));
    const models = names.map((name) => ({ name, address: `${FILES}${name}.onnx` }));
    await this.#ask({ open: { runtimeFolder: RUNTIME, models } });
    this.isOpen = true;
    this.#progress = null;
  }

  /** Run jobs, see `denoising`; each gives the outputs of its chain. */
  async run(jobs) {
    return (await this.#ask({ jobs })).results;
  }

  close() {
    this.#worker.terminate();
    this.#waiting.clear();
  }

  #ask(message) {
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, ...message });
    });
  }

  #hear({ id, loaded, error, ...answer }) {
    if (loaded) return this.#progress?.(loaded);
    const asked = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) asked?.reject(new Error(error));
    else asked?.resolve(answer);
  }
}
