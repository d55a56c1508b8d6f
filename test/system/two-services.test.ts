/** Quick enough for every run, so it is one of the fault tests and one of these. */
export * from '../faults/two-services.faults.js';
