/** Written by `npm run truth:calibrate`; not to be edited. */
export const CALIBRATION = {
  provenance:
    'Platt scaling of asinh(log odds) on the simulated set "calibration": 42 families, 20 seeds from 3000000 on, 840 and 840 series',
  withAllocator: { slope: 1.53, offset: 0.519 },
  withoutAllocator: { slope: 1.395, offset: 0.725 },
  highestProbability: 0.999,
  cleanProvenance:
    'log odds of the clean families of the simulated set "clean": 22 families, 60 seeds from 4000000 on',
  clean: {
    withAllocator: {
      logOdds: [
        -162.14, -62.27, -38.11, -25.27, -17.65, -12.75, -9.63, -7.72, -6.7, -5.64, -4.74, -4.04, -3.31,
        -2.76, -2.31,
      ],
      shares: [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.16, 0.13, 0.1, 0.08, 0.065, 0.05],
      tailMean: 2.102,
    },
    withoutAllocator: {
      logOdds: [
        -52.67, -31.24, -22.37, -16.57, -13, -10.5, -7.6, -6.7, -5.68, -4.74, -4.26, -3.45, -2.82, -2.39,
        -1.81,
      ],
      shares: [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.16, 0.13, 0.1, 0.08, 0.065, 0.05],
      tailMean: 1.814,
    },
    series: {
      logOdds: [-1000, -39.74, -6.2, -3.44, -2.79, -2.6, -2.33, -2.09, -1.7, -1.12, -0.78, -0.31, 0.23],
      shares: [0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.16, 0.13, 0.1, 0.08, 0.065, 0.05],
      tailMean: 2.239,
    },
  },
} as const;
