/* Settings in which the networks fail, honestly. */

import { STRINGS } from "./strings.js";

const LETTER = [
  [[250, 850], [500, 150], [750, 850]],
  [[340, 600], [660, 600]],
];

export const FAILURES = [
  {
    name: STRINGS.letter,
    text: STRINGS.letterText,
    change: { strokes: LETTER, kind: "gaussian", level: 0.5 },
  },
  {
    name: STRINGS.stranger,
    text: STRINGS.strangerText,
    change: { digit: 7, kind: "blocks", level: 12 },
  },
  {
    name: STRINGS.faint,
    text: STRINGS.faintText,
    change: { digit: 7, kind: "gaussian", level: 0.05 },
  },
];
