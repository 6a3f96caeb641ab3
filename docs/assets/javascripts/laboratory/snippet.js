/* The same in Python: a program for exactly this setting. */

import { KINDS } from "./noise.js";
import { GRID } from "./state.js";

/** Return a program that draws the same noise and prints the same decibels.

    @param places - where in the test set each digit of the laboratory is */
export function python(state, places) {
  const corrupt = KINDS[state.kind].python;
  const { image, imported } = source(state, places);
  const imports = [
    "from dae_tutorial.evaluate import psnr",
    ...imported,
    "from dae_tutorial.further.laboratory import DENOISERS",
    "from dae_tutorial.further.onnx_export import in_eight_bits",
    "from dae_tutorial.further.pretrained import load_pretrained",
    `from dae_tutorial.noise import ${corrupt}`,
  ].sort();
  return `import torch
${imports.join("\n")}

${image}
seed = torch.Generator().manual_seed(${state.seed})
noisy = ${corrupt}(clean, ${state.level}, generator=seed)
print(f"noisy  {psnr(noisy, clean).item():.2f} dB")
for name, weights in DENOISERS.items():
    model = in_eight_bits(load_pretrained(weights))
    with torch.no_grad():
        answer = model(noisy).reshape(clean.shape)
    print(f"{name:6} {psnr(answer, clean).item():.2f} dB")
`;
}

function source({ picture, strokes, digit }, places) {
  if (picture) {
    const image = 'clean = fit_picture(read_image("your-picture.png")).unsqueeze(0)';
    const drawings = "from dae_tutorial.further.drawings import fit_picture";
    return { image, imported: [drawings, "from dae_tutorial.further.image_files import read_image"] };
  }
  if (strokes) {
    const point = ([x, y]) => `(${x / GRID}, ${y / GRID})`;
    const lines = strokes.map((stroke) => `    [${stroke.map(point).join(", ")}],`);
    const image = `strokes = [\n${lines.join("\n")}\n]\nclean = draw_strokes(strokes).unsqueeze(0)`;
    return { image, imported: ["from dae_tutorial.further.drawings import draw_strokes"] };
  }
  const place = places[digit];
  const image = `clean = load_mnist(train=False).images[${place} : ${place + 1}]`;
  return { image, imported: ["from dae_tutorial.loaders import load_mnist"] };
}
