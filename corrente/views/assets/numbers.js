// How a number or an array is put into few words: the same signs as in Corrente's other drawings.

const DUST = 1e-12; // a mean this much smaller than its numbers is rounding

/** Write one number with as many significant digits as help. */
function number(value, digits = 4, whole = false) {
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return value;
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (whole && Number.isInteger(value) && Math.abs(value) < 1e12) return String(value);
  if (value === 0) return "0";
  if (10 ** digits <= Math.abs(value) && Math.abs(value) < 1e6) return roundEven(value);
  return significant(value, digits);
}

function roundEven(value) {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return String(Math.round(value));
  return String(below % 2 === 0 ? below : below + 1);
}

function significant(value, digits) {
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  const power = Number(exponent);
  if (power < -4 || power >= digits) {
    const sign = power < 0 ? "-" : "+";
    return `${trimmed(mantissa)}e${sign}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  return trimmed(value.toFixed(Math.max(0, digits - 1 - power)));
}

const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

/** Write a number as sentences do: − for minus. */
function spoken(value) {
  if (typeof value === "number" && Number.isInteger(value) && Math.abs(value) < 1e6) return String(value).replace("-", "−");
  return number(value).replace(/e([+-])0*/, "e$1").replace("e+", "e").replace(/-/g, "−");
}

const bracketed = (value) => (spoken(value).startsWith("−") ? `(${spoken(value)})` : spoken(value));
const firstBare = (text) => text.replace(/^\((−[^() ]+)\)(?! \*\*)/, "$1");

/** Write a number, or the least and the greatest element of an array, very short. */
function spanned(value) {
  if (typeof value === "string") return value;
  return number(value, 2);
}

const shapeText = (shape) => (shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`);

/** Say what an array of numbers is, as its lines, its tile and its norm. */
function summarise(data, shape) {
  const lines = [];
  let least = Infinity, greatest = -Infinity, total = 0, squares = 0, finite = 0;
  for (const x of data) {
    if (!Number.isFinite(x)) continue;
    if (x < least) least = x;
    if (x > greatest) greatest = x;
    total += x;
    squares += x * x;
    finite += 1;
  }
  const alarm = finite < data.length;
  const text = shapeText(shape);
  if (data.length === 0) lines.push(text, "∅");
  else if (shape.length === 1 && data.length <= 3) lines.push(`${alarm ? "! " : ""}[${Array.from(data, (x) => number(x)).join(", ")}]`);
  else {
    lines.push(alarm ? `${text} ! ${data.length - finite}` : text);
    if (finite === 0) lines.push("∅");
    else if (least === greatest) lines.push(`≡ ${number(least, 3)}`);
    else {
      let mean = total / finite;
      if (Math.abs(mean) < DUST * Math.max(Math.abs(least), Math.abs(greatest))) mean = 0;
      lines.push(`${number(least, 3)} … ${number(greatest, 3)}`, `μ ${number(mean, 3)}`);
    }
  }
  const tile = data.length > 3 ? tiled(data, shape, 8) : null;
  return { lines, alarm, tile, shape, norm: Math.sqrt(squares), data };
}

/** Shrink an array to at most `most` × `most` means of blocks, scaled to −1 … 1. */
function tiled(data, shape, most) {
  const across = shape[shape.length - 1];
  const rows = data.length / across;
  const high = Math.min(rows, most), wide = Math.min(across, most);
  const grid = [];
  let largest = 0;
  for (let r = 0; r < high; r += 1) {
    const line = [];
    for (let c = 0; c < wide; c += 1) {
      let total = 0, count = 0;
      for (let i = Math.floor((rows * r) / high); i < Math.floor((rows * (r + 1)) / high); i += 1)
        for (let j = Math.floor((across * c) / wide); j < Math.floor((across * (c + 1)) / wide); j += 1) {
          const x = data[i * across + j];
          if (Number.isFinite(x)) { total += x; count += 1; }
        }
      line.push(count ? total / count : null);
      if (count) largest = Math.max(largest, Math.abs(total / count));
    }
    grid.push(line);
  }
  return grid.map((line) => line.map((x) => (x === null ? null : largest ? x / largest : 0)));
}

/** Read base64 of little-endian float64. */
function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float64Array.from({ length: bytes.length / 8 }, (_, k) => view.getFloat64(8 * k, true));
}
