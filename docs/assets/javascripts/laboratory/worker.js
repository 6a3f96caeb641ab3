/* Runs the models, beside the page's own thread, with ONNX Runtime Web. */

let runtime = null;
const sessions = new Map();

/** Load a file, and say after each piece how many bytes have come. */
async function load(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${answer.status} ${new URL(address).pathname}`);
  const pieces = [];
  const reader = answer.body.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    pieces.push(read.value);
    postMessage({ loaded: read.value.length });
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

async function start(folder) {
  const address = new URL("ort-wasm-simd-threaded.wasm", folder).href;
  const binary = load(address);
  const module = import(new URL("ort.wasm.bundle.min.mjs", folder).href);
  const ort = await module;
  ort.env.wasm.numThreads = 1; // more need headers that most hosts of pages do not send
  ort.env.wasm.wasmBinary = (await binary).buffer;
  ort.env.logLevel = "error";
  return ort;
}

async function open({ runtimeFolder, models }) {
  runtime ??= start(runtimeFolder);
  const missing = models.filter(({ name }) => !sessions.has(name));
  const files = await Promise.all(missing.map(({ address }) => load(address)));
  const ort = await runtime;
  for (const [i, { name }] of missing.entries())
    sessions.set(name, await ort.InferenceSession.create(files[i]));
}

/** Run a chain of models, each on what the one before gave; return all outputs. */
async function run({ chain, input, shape }) {
  const { Tensor } = await runtime;
  let tensor = new Tensor("float32", input, shape);
  const outputs = [];
  for (const name of chain) {
    const given = await sessions.get(name).run({ input: tensor });
    outputs.push(given.output.data.slice());
    if (tensor.location === "cpu" && outputs.length > 1) tensor.dispose();
    tensor = given.output;
  }
  tensor.dispose();
  return outputs;
}

onmessage = async ({ data: { id, open: wanted, jobs } }) => {
  try {
    if (wanted) await open(wanted);
    const results = [];
    for (const job of jobs ?? []) results.push(await run(job));
    const buffers = results.flat().map((output) => output.buffer);
    postMessage({ id, results }, buffers);
  } catch (error) {
    if (wanted) runtime = null; // the next try begins anew
    postMessage({ id, error: String(error?.message ?? error) });
  }
};
