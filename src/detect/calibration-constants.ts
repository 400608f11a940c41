/** Written by `npm run truth:calibrate`; not to be edited. */
export const CALIBRATION = {
  provenance:
    'Platt scaling of asinh(log odds) on the simulated set "calibration": 42 families, 40 seeds from 3000000 on, 1680 and 1680 series',
  withAllocator: { slope: 1.735, offset: 1.336 },
  withoutAllocator: { slope: 1.666, offset: 1.49 },
  highestProbability: 0.999,
  cleanProvenance:
    'log odds of the clean families of the simulated set "clean": 22 families, 60 seeds from 4000000 on',
  clean: {
    withAllocator: {
      logOdds: [
        -145.53, -60.03, -37.79, -25.32, -18.56, -13.24, -9.94, -8.35, -7.06, -6.02, -5.22, -4.38, -3.84,
        -3.18, -2.6,
      ],
      shares: [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.16, 0.13, 0.1, 0.08, 0.065, 0.05],
      tailMean: 1.705,
    },
    withoutAllocator: {
      logOdds: [
        -53.48, -31.69, -22.22, -16.77, -13.12, -10.71, -8.23, -7.11, -6.02, -5.16, -4.42, -3.8, -3.14, -2.66,
        -2.3,
      ],
      shares: [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.16, 0.13, 0.1, 0.08, 0.065, 0.05],
      tailMean: 1.835,
    },
    series: {
      logOdds: [-1000, -69.01, -6.94, -3.84, -2.74, -2.61, -2.33, -2.07, -1.8, -1.33, -0.93, -0.57, -0.1],
      shares: [0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.16, 0.13, 0.1, 0.08, 0.065, 0.05],
      tailMean: 2.433,
    },
  },
} as const;
