/* Elements, made in one line each. */

/** Make an element. Attributes that begin with "on" are listeners; text is only text. */
export function make(tag, attributes = {}, ...children) {
  const namespace = ["svg", "polyline", "line", "circle", "rect", "path", "text", "g", "title"];
  const element = namespace.includes(tag)
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  set(element, attributes);
  element.append(...children);
  return element;
}

export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === false || value == null) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : value);
  }
  return element;
}

/** Put a text into an element that holds nothing else. The node that is there stays: a new
    one for each move of a slider would have the page styled anew. */
export function say(element, text) {
  if (!element.firstChild) element.append(text);
  else if (element.firstChild.data !== text) element.firstChild.data = text;
}

export function button(text, onclick, attributes = {}) {
  return make("button", { type: "button", class: "lab-button", onclick, ...attributes }, text);
}

let count = 0;

/** Make a slider with a name and a value that is said in words. */
export function slider({ name, min, max, step, value, text, onInput }) {
  const id = `lab-slider-${++count}`;
  const output = make("output", { for: id }, text(value));
  const input = make("input", { type: "range", id, min, max, step });
  input.value = value;
  const show = () => {
    const words = text(Number(input.value));
    say(output, words);
    input.setAttribute("aria-valuetext", words);
  };
  input.addEventListener("input", () => {
    show();
    onInput(Number(input.value));
  });
  show();
  const row = make("div", { class: "lab-slider" }, make("label", { for: id }, name), output, input);
  const put = (range) => {
    set(input, { min: range.min, max: range.max, step: range.step });
    input.value = range.value;
    show();
  };
  return { row, input, put };
}

/** Make a group of choices of which one holds. */
export function choices(legend, options, onChoice) {
  const name = `lab-choices-${++count}`;
  const inputs = {};
  const labels = Object.entries(options).map(([value, text]) => {
    const onchange = () => onChoice(value);
    inputs[value] = make("input", { type: "radio", name, value, onchange });
    return make("label", { class: "lab-choice" }, inputs[value], make("span", {}, text));
  });
  const group = make("fieldset", { class: "lab-choices" }, make("legend", {}, legend), ...labels);
  return { group, choose: (value) => (inputs[value].checked = true) };
}
