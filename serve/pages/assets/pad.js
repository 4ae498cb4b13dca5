/** A canvas to draw on, with mouse, finger, pen or keyboard. */

const PEN = 0.07; // of the width of the canvas
const RASTER = 160; // pixels of the longer side of a drawing: eight for each one of 20
const RASTER_PEN = 20; // pixels: 2.5 of 28, the width of a line in MNIST
const STEP = 0.04; // of the width, for one press of an arrow key
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Pad {
	/** `changed(finished)` is called after each change. */
	constructor(canvas, changed) {
		this.canvas = canvas;
		this.changed = changed;
		this.strokes = [];
		this.picture = null;
		this.cursor = { x: 0.5, y: 0.25 };
		this.down = false;
		const on = (event, act) => canvas.addEventListener(event, act);
		on("pointerdown", (event) => this.#begin(event));
		on("pointermove", (event) => this.#move(event));
		on("pointerup", () => this.#end());
		on("pointercancel", () => this.#end());
		on("keydown", (event) => this.#key(event));
		on("focus", () => this.draw());
		on("blur", () => {
			this.down = false;
			this.draw();
		});
		matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
		new ResizeObserver(() => this.draw()).observe(canvas);
	}

	get isEmpty() {
		return !this.strokes.length && !this.picture;
	}

	clear() {
		this.strokes = [];
		this.undo();
	}

	undo() {
		this.strokes.pop();
		this.picture = null;
		this.down = false;
		this.#finish();
	}

	/** Show a picture (a canvas) in place of strokes. */
	show(picture) {
		this.strokes = [];
		this.picture = picture;
		this.draw();
	}

	/** The strokes as ink for `normalize`, always of the same size. */
	ink() {
		const points = this.strokes.flat();
		const [left, top] = [Math.min(...points.map((p) => p.x)), Math.min(...points.map((p) => p.y))];
		const width = Math.max(...points.map((p) => p.x)) - left;
		const height = Math.max(...points.map((p) => p.y)) - top;
		const scale = (RASTER - RASTER_PEN) / Math.max(width, height, STEP);
		const canvas = document.createElement("canvas");
		canvas.width = canvas.height = RASTER;
		const context = canvas.getContext("2d", { willReadFrequently: true });
		context.lineWidth = RASTER_PEN;
		const at = (from) => (value) => RASTER_PEN / 2 + (value - from) * scale;
		for (const stroke of this.strokes) trace(context, stroke, at(left), at(top));
		const { data } = context.getImageData(0, 0, RASTER, RASTER);
		const ink = Float32Array.from({ length: RASTER * RASTER }, (_, i) => data[i * 4 + 3] / 255);
		return { width: RASTER, height: RASTER, data: ink };
	}

	draw() {
		const { canvas } = this;
		const size = Math.round(canvas.clientWidth * devicePixelRatio);
		canvas.width = canvas.height = size; // also clears it
		const context = canvas.getContext("2d");
		const style = getComputedStyle(canvas);
		if (this.picture) {
			context.imageSmoothingEnabled = false;
			context.drawImage(this.picture, 0, 0, size, size);
		}
		context.lineWidth = PEN * size;
		context.strokeStyle = style.color;
		const scaled = (value) => value * size;
		for (const stroke of this.strokes) trace(context, stroke, scaled, scaled);
		if (canvas.matches(":focus-visible")) this.#drawCursor(context, size, style);
	}

	#drawCursor(context, size, style) {
		context.beginPath();
		context.arc(this.cursor.x * size, this.cursor.y * size, (PEN * size) / 2, 0, 7);
		context.lineWidth = 2 * devicePixelRatio;
		context.strokeStyle = style.outlineColor;
		context.fillStyle = style.outlineColor;
		if (this.down) context.fill();
		context.stroke();
	}

	#begin(event) {
		if (event.button) return;
		this.canvas.setPointerCapture(event.pointerId);
		this.picture = null;
		this.down = true;
		this.strokes.push([this.#point(event)]);
		this.#add();
	}

	#move(event) {
		if (!this.down || !this.canvas.hasPointerCapture(event.pointerId)) return;
		this.strokes.at(-1).push(this.#point(event));
		this.#add();
	}

	#end() {
		if (!this.down) return;
		this.down = false;
		this.#finish();
	}

	#key(event) {
		const arrow = ARROWS[event.key];
		if (arrow) {
			const inside = (value) => Math.min(Math.max(value, PEN), 1 - PEN);
			const [x, y] = [this.cursor.x + arrow[0] * STEP, this.cursor.y + arrow[1] * STEP];
			this.cursor = { x: inside(x), y: inside(y) };
			if (this.down) this.strokes.at(-1).push(this.cursor);
			this.down ? this.#add() : this.draw();
		} else if (event.key === " ") {
			this.down = !this.down;
			if (this.down) {
				this.picture = null;
				this.strokes.push([this.cursor]);
			}
			this.#finish();
		} else if (event.key === "Backspace") this.undo();
		else if (event.key === "Delete") this.clear();
		else return;
		event.preventDefault();
	}

	#point(event) {
		const area = this.canvas.getBoundingClientRect();
		return {
			x: (event.clientX - area.left) / area.width,
			y: (event.clientY - area.top) / area.height,
		};
	}

	#add() {
		this.draw();
		this.changed(false);
	}

	#finish() {
		this.draw();
		this.changed(true);
	}
}

/** Draw a stroke as a smooth curve through the middles between its points. */
function trace(context, stroke, x, y) {
	context.lineCap = context.lineJoin = "round";
	context.beginPath();
	context.moveTo(x(stroke[0].x), y(stroke[0].y));
	context.lineTo(x(stroke[0].x) + 0.01, y(stroke[0].y)); // a dot, if it is the only point
	stroke.forEach((point, i) => {
		const next = stroke[i + 1] ?? point;
		context.quadraticCurveTo(
			x(point.x),
			y(point.y),
			x((point.x + next.x) / 2),
			y((point.y + next.y) / 2),
		);
	});
	context.stroke();
}
