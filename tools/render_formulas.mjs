// Typeset formulas with KaTeX: a JSON list of [display, LaTeX] on standard input, a
// JSON list of {html} or {error} on standard output.
import { text } from "node:stream/consumers";
import katex from "katex";

function typeset([displayMode, source]) {
  try {
    return { html: katex.renderToString(source, { displayMode, strict: "error" }) };
  } catch (error) {
    if (error instanceof katex.ParseError) return { error: error.message };
    throw error;
  }
}

const formulas = JSON.parse(await text(process.stdin));
process.stdout.write(JSON.stringify(formulas.map(typeset)));
