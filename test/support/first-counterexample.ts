import fc from 'fast-check'

// For mutation testing: that a property fails is all that is asked, a smaller counterexample only costs time; and the
// same cases every time, so that a score can be compared with the last one.
fc.configureGlobal({ endOnFailure: true, seed: 1 })
