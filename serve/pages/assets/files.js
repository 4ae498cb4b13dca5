/** Image files that are chosen, pasted or dropped. */

import { normalize } from "./digit.js";

const MOST = 32; // files in one batch
const LONGEST = 512; // pixels of a side that are looked at
const FAINT = 0.15; // of the darkest ink: less is noise, as JPEG makes it

/** Call `take(files)` when PNG or JPEG files are pasted into the page or dropped on it. */
export function listen(take) {
	document.addEventListener("paste", (event) => offer(event.clipboardData, take, event));
	document.addEventListener("dragover", (event) => event.preventDefault());
	document.addEventListener("drop", (event) => offer(event.dataTransfer, take, event));
}

function offer(transfer, take, event) {
	const files = [...(transfer?.files ?? [])];
	if (!files.length) return;
	event.preventDefault();
	take(files);
}

/** Images of the model's size, with their names. Throws an Error that says what is wrong. */
export async function read(files, side) {
	if (files.length > MOST) throw new Error(`Expected at most ${MOST} files, got ${files.length}.`);
	return Promise.all(
		files.map(async (file) => ({ name: file.name, image: await toImage(file, side) })),
	);
}

async function toImage(file, side) {
	let bitmap;
	try {
		bitmap = await createImageBitmap(file, { colorSpaceConversion: "none" });
	} catch {
		throw new Error(
			`${file.name} is not an image that this browser can read. Expected PNG or JPEG.`,
		);
	}
	const grey = toGrey(bitmap);
	const background = borderOf(grey);
	// An image in the format of the training data stays as it is.
	if (grey.width === side && grey.height === side && background < 0.2) return grey.data;
	const image = normalize(inkOf(grey, background), side);
	if (!image) throw new Error(`${file.name} seems to be empty.`);
	return image;
}

function toGrey(bitmap) {
	const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
	const width = Math.max(1, Math.round(bitmap.width * scale));
	const height = Math.max(1, Math.round(bitmap.height * scale));
	const canvas = document.createElement("canvas");
	[canvas.width, canvas.height] = [width, height];
	const context = canvas.getContext("2d");
	context.fillStyle = "#fff"; // behind what is transparent
	context.fillRect(0, 0, width, height);
	context.imageSmoothingQuality = "high";
	context.drawImage(bitmap, 0, 0, width, height);
	const { data } = context.getImageData(0, 0, width, height);
	const grey = (_, i) =>
		(0.299 * data[i * 4] + 0.587 * data[i * 4 + 1] + 0.114 * data[i * 4 + 2]) / 255;
	return { width, height, data: Float32Array.from({ length: width * height }, grey) };
}

/** The median of the pixels on the border. */
function borderOf({ width, height, data }) {
	const border = data.filter((_, i) => {
		const [x, y] = [i % width, Math.floor(i / width)];
		return !x || !y || x === width - 1 || y === height - 1;
	});
	return border.sort()[border.length >> 1];
}

/** How far each pixel is from the background, the farthest one being 1. */
function inkOf({ width, height, data }, background) {
	const distance = data.map((value) =>
		background > 0.5 ? background - value : value - background,
	);
	const most = distance.reduce((a, b) => Math.max(a, b), 1e-3);
	return {
		width,
		height,
		data: distance.map((value) => (value < FAINT * most ? 0 : value / most)),
	};
}
