//! Feishu: Hire and CoreHR.
