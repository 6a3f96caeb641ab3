/* Prints the programs that the laboratory shows for some settings, as JSON. */

const here = "../../docs/assets/javascripts/laboratory/";
const load = (name) => import(new URL(here + name, import.meta.url));
const { python } = await load("snippet.js");
const { DEFAULT, sane } = await load("state.js");

const [places, ...settings] = process.argv.slice(2).map((text) => JSON.parse(text));
const programs = settings.map((one) => python(sane({ ...DEFAULT, ...one }), places));
console.log(JSON.stringify(programs));
