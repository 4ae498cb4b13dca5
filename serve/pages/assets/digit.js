/** From ink to an image like those of the training data (MNIST). */

const QUIET = 0.02; // less ink than this is background

/**
 * Crop the ink, scale it to 20 of 28 pixels with its aspect ratio kept, and put its centre of
 * mass in the middle. `ink` has width, height and data from 0 to 1, row by row.
 * Returns side × side numbers from 0 to 1, or null if there is no ink.
 */
export function normalize(ink, side) {
	const bounds = findBounds(ink);
	if (!bounds) return null;
	const box = Math.round((side * 20) / 28);
	const scale = box / Math.max(bounds.width, bounds.height);
	const width = Math.max(1, Math.round(bounds.width * scale));
	const height = Math.max(1, Math.round(bounds.height * scale));
	const small = shrink(ink, bounds, width, height);
	const centre = centreOfMass(small, width, height);
	const left = place(side / 2 - centre.x, side - width);
	const top = place(side / 2 - centre.y, side - height);
	const most = Math.max(...small);
	const image = new Float32Array(side * side);
	for (let y = 0; y < height; y++)
		for (let x = 0; x < width; x++)
			image[(top + y) * side + left + x] = small[y * width + x] / most;
	return image;
}

/** The nearest whole offset that cuts nothing off. */
const place = (offset, room) => Math.min(Math.max(Math.round(offset), 0), room);

function findBounds({ width, height, data }) {
	let [left, top, right, bottom] = [width, height, -1, -1];
	for (let y = 0; y < height; y++)
		for (let x = 0; x < width; x++)
			if (data[y * width + x] > QUIET) {
				left = Math.min(left, x);
				right = Math.max(right, x);
				top = Math.min(top, y);
				bottom = Math.max(bottom, y);
			}
	return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** Each pixel becomes the mean of the area that it covers. */
function shrink({ width, data }, bounds, toWidth, toHeight) {
	const columns = cover(bounds.left, bounds.width, toWidth);
	const rows = cover(bounds.top, bounds.height, toHeight);
	return Float32Array.from({ length: toWidth * toHeight }, (_, i) => {
		let sum = 0;
		for (const [y, high] of rows[Math.floor(i / toWidth)])
			for (const [x, wide] of columns[i % toWidth]) sum += data[y * width + x] * high * wide;
		return sum;
	});
}

/** For each of `count` pixels: the pixels of a line that it covers, and their shares. */
function cover(start, length, count) {
	const step = length / count;
	return Array.from({ length: count }, (_, i) => {
		const parts = [];
		for (let at = Math.floor(i * step); at < Math.min((i + 1) * step, length); at++) {
			const share = Math.min(at + 1, (i + 1) * step) - Math.max(at, i * step);
			if (share > 1e-9) parts.push([start + at, share / step]);
		}
		return parts;
	});
}

function centreOfMass(data, width, height) {
	let [mass, x, y] = [0, 0, 0];
	for (let row = 0; row < height; row++)
		for (let column = 0; column < width; column++) {
			const value = data[row * width + column];
			mass += value;
			x += value * (column + 0.5);
			y += value * (row + 0.5);
		}
	return { x: x / mass, y: y / mass };
}

/** Paint an image of numbers from 0 to 1 in grey, white on black as the model gets it. */
export function paint(canvas, image, side) {
	canvas.width = canvas.height = side;
	const pixels = new ImageData(side, side);
	image.forEach((value, i) => {
		pixels.data.fill(Math.round(value * 255), i * 4, i * 4 + 3);
		pixels.data[i * 4 + 3] = 255;
	});
	canvas.getContext("2d").putImageData(pixels, 0, 0);
	return canvas;
}
