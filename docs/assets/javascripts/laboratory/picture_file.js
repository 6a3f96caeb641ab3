/* The reader's own picture: a file that is chosen, dropped or pasted. */

import { fitPicture } from "./drawing.js";

const LARGEST = 280; // a longer side is scaled down first

/** Return an image of 784 pixels, or null where the file is no picture. */
export async function readPicture(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    return null;
  }
  const scale = Math.min(1, LARGEST / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) =>
    Math.max(1, Math.round(side * scale)),
  );
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.fillStyle = "white"; // what is transparent is paper
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const grey = Float64Array.from(
    { length: width * height },
    (_, i) => (0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]) / 255,
  );
  return fitPicture(grey, width, height);
}

/** Call `onFile` with what is dropped on an element or pasted into the page. */
export function acceptFiles(element, onFile, signal) {
  const first = (transfer) => [...(transfer?.files ?? [])][0];
  element.addEventListener("dragover", (event) => event.preventDefault());
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    const file = first(event.dataTransfer);
    if (file) onFile(file);
  });
  const paste = (event) => {
    const file = first(event.clipboardData);
    if (file) onFile(file);
  };
  addEventListener("paste", paste, { signal });
}
