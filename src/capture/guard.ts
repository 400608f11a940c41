/** Keeps what goes wrong inside away from the program. */
export type Guard = <Arguments extends unknown[]>(
  body: (...given: Arguments) => void,
) => (...given: Arguments) => void;
