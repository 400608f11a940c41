/** Written by `npm run truth:calibrate`; not to be edited. */
export const CALIBRATION = {
  provenance:
    'Platt scaling of asinh(log odds) on the simulated set "calibration": 42 families, 40 seeds from 3000000 on, 1680 and 1680 series',
  withAllocator: { slope: 1.671, offset: 0.899 },
  withoutAllocator: { slope: 1.57, offset: 1.05 },
  highestProbability: 0.999,
  cleanProvenance:
    'log odds of the clean families of the simulated set "clean": 22 families, 60 seeds from 4000000 on',
  clean: {
    withAllocator: {
      logOdds: [
        -152.53, -58.06, -37.28, -24.41, -17.46, -12.73, -9.26, -7.79, -6.66, -5.69, -4.73, -4.21, -3.56,
        -2.87, -2.33,
      ],
      shares: [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.16, 0.13, 0.1, 0.08, 0.065, 0.05],
      tailMean: 1.85,
    },
    withoutAllocator: {
      logOdds: [
        -51.48, -29.57, -22.1, -16.21, -12.83, -10.31, -7.61, -6.67, -5.75, -4.77, -4.27, -3.59, -2.91, -2.45,
        -2,
      ],
      shares: [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.16, 0.13, 0.1, 0.08, 0.065, 0.05],
      tailMean: 1.809,
    },
    series: {
      logOdds: [-1000, -39.85, -6.37, -3.61, -2.8, -2.62, -2.33, -2.09, -1.66, -1.13, -0.76, -0.27, 0.27],
      shares: [0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.16, 0.13, 0.1, 0.08, 0.065, 0.05],
      tailMean: 2.273,
    },
  },
} as const;
