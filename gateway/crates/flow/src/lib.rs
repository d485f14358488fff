//! Change feed to actions: which change makes which action, and how it is delivered.
