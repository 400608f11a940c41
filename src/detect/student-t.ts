/**
 * Student's t distribution: how probable a value up to `t` is, with few points.
 *
 * simple-statistics has the normal distribution only as a table that ends at
 * .999, and with ten floor points the normal would be too sure of itself.
 *
 * Method: the regularised incomplete beta function by Lentz's continued
 * fraction (Numerical Recipes, section 6.4). Exact to about 1e-10.
 *
 * @param t the statistic
 * @param degreesOfFreedom more than 0; need not be whole
 * @returns P(T <= t), 0 to 1
 */
export function studentTCumulative(t: number, degreesOfFreedom: number): number {
  if (t === Number.POSITIVE_INFINITY) return 1;
  if (t === Number.NEGATIVE_INFINITY) return 0;
  // Both shares, for near zero one of them is lost beside the other.
  const x = degreesOfFreedom / (degreesOfFreedom + t * t);
  const rest = (t * t) / (degreesOfFreedom + t * t);
  const tail = 0.5 * incompleteBeta(x, rest, degreesOfFreedom / 2, 0.5);
  return t > 0 ? 1 - tail : tail;
}

/** The value that T exceeds with probability 1 - p, by bisection. */
export function studentTQuantile(p: number, degreesOfFreedom: number): number {
  let low = -1e6;
  let high = 1e6;
  for (let step = 0; step < 100; step++) {
    const middle = (low + high) / 2;
    if (studentTCumulative(middle, degreesOfFreedom) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** @param rest 1 - x */
function incompleteBeta(x: number, rest: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (rest <= 0) return 1;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(rest));
  // The fraction converges fast on one side only; the other follows by symmetry.
  return x < (a + 1) / (a + b + 2)
    ? (front * betaFraction(x, a, b)) / a
    : 1 - (front * betaFraction(rest, b, a)) / b;
}

function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const away = (value: number) => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= 300; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    const change = d * c;
    fraction *= change;
    if (Math.abs(change - 1) < 1e-12) break;
  }
  return fraction;
}

const LANCZOS = [
  676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
  -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
];

/** Natural logarithm of the gamma function, Lanczos approximation. */
function logGamma(z: number): number {
  if (z < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * z)) - logGamma(1 - z);
  const shifted = z - 1;
  const series = LANCZOS.reduce(
    (sum, coefficient, i) => sum + coefficient / (shifted + i + 1),
    0.9999999999998099,
  );
  const t = shifted + LANCZOS.length - 0.5;
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(t) - t + Math.log(series);
}
