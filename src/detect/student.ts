import { normalQuantile } from './normal.js';

/**
 * Two-sided quantile of Student's distribution: beyond plus and minus this lies
 * the share `outside`. By Hill's expansion (1970, Algorithm 396), exact for
 * one and two degrees of freedom; they need not be whole.
 *
 * @example studentQuantile(0.05, 10) // 2.228
 */
export function studentQuantile(outside: number, degrees: number): number {
  if (degrees <= 1) {
    const angle = (outside * Math.PI) / 2;
    return Math.cos(angle) / Math.sin(angle);
  }
  if (degrees === 2) return Math.sqrt(2 / (outside * (2 - outside)) - 2);
  const a = 1 / (degrees - 0.5);
  const b = 48 / a ** 2;
  let c = ((20700 * a) / b - 98) * a * a - 16 * a + 96.36;
  const d = ((94.5 / (b + c) - 3) / b + 1) * Math.sqrt((a * Math.PI) / 2) * degrees;
  let y = (d * outside) ** (2 / degrees);
  if (y > 0.05 + a) {
    const x = normalQuantile(outside / 2);
    y = x * x;
    if (degrees < 5) c += 0.3 * (degrees - 4.5) * (x + 0.6);
    c = (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b + c;
    y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x;
    y = Math.expm1(a * y * y);
  } else {
    y =
      ((1 / (((degrees + 6) / (degrees * y) - 0.089 * d - 0.822) * (degrees + 2) * 3) + 0.5 / (degrees + 4)) *
        y -
        1) *
        ((degrees + 1) / (degrees + 2)) +
      1 / y;
  }
  return Math.sqrt(degrees * y);
}
