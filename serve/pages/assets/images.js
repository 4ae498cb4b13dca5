/** What an image classifier takes: the size of its images, and the text of a request. */

/** Pixels of a side of the images that a model takes; 0 if it is not like an image classifier. */
export function sideOf({ inputs, outputs, features }) {
	const [input] = inputs;
	if (features || inputs.length > 1 || outputs[0].shape.length !== 2 || input.datatype === "BOOL") return 0;
	if (![-1, 1].includes(input.shape[0])) return 0;
	const sizes = input.shape.slice(1).filter((size) => size !== 1);
	const side = sizes.length === 1 ? Math.sqrt(sizes[0]) : sizes[0];
	const isSquare = sizes.length === 1 || (sizes.length === 2 && sizes[0] === sizes[1]);
	return isSquare && Number.isInteger(side) && side >= 8 ? side : 0;
}

/** The images among the values of an example, with numbers from 0 to 1. */
export function imagesOf(example, range, side) {
	const { data, shape } = example.inputs[0];
	const count = data.some(Boolean) ? shape[0] : 0; // zeros stand for a model without examples
	const [low, high] = range;
	return Array.from({ length: count }, (_, i) =>
		Float32Array.from(
			data.slice(i * side * side, (i + 1) * side * side),
			(value) => (value - low) / (high - low),
		),
	);
}

/** Smallest and largest value of a pixel: as the manifest says, else a guess by the example. */
export function rangeOf(input, example) {
	if (input.range) return input.range;
	const most = Math.max(...example.inputs[0].data);
	return [0, most > 0 && most <= 1 ? 1 : 255];
}

/** The body of a request to /predict, laid out so that one sees the images in the numbers. */
export function bodyOf(images, { shape }, range, side) {
	const texts = images.map((image) => textOf(image, shape.slice(1), range, side));
	return texts.length === 1 ? `{"image": ${texts[0]}}` : `{"images": [${texts.join(",\n")}]}`;
}

function textOf(image, shape, [low, high], side) {
	const whole = high - low > 2;
	const lines = Array.from({ length: side }, (_, y) => {
		const numbers = Array.from(image.slice(y * side, (y + 1) * side), (value) => {
			const scaled = low + value * (high - low);
			const text = whole ? String(Math.round(scaled)).padStart(3) : scaled.toFixed(3);
			return shape.length > 2 && shape.at(-1) === 1 ? `[${text}]` : text;
		});
		return ` [${numbers.join(",")}]`;
	});
	const text = `[\n${lines.join(",\n")}\n]`;
	return shape.length > 2 && shape[0] === 1 ? `[${text}]` : text;
}
