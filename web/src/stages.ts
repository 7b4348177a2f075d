/** Every stage of an assessment, for tests that hold each to its twin. */

export { PhoneIndex } from "./indexes/phone_index";
export { readPack, type Pack } from "./pack";
export { classSimilarities } from "./indexes/similarity";
export { transformed } from "./indexes/transform";
export { gatherEvidence } from "./retriever/evidence";
export { frameEvidence } from "./retriever/frame_evidence";
export { Assessor } from "./scoring/assessor";
export { placed } from "./scoring/placing";
export { attended } from "./scoring/reading";
export { measureGop } from "./scoring/gop_evidence";
export { PhoneModel } from "./scoring/fusion/phone_model";
export { readTensors } from "./safetensors";
export { spoken } from "./speech/alignment";
export { logMel } from "./speech/log_mel";
export { pool as pooledPosteriors } from "./speech/phone_head";
export { pool } from "./speech/pooling";
export { asideS } from "./speech/reading/reading";
export { trackIntensity } from "./speech/prosody/intensity";
export { trackPitch } from "./speech/prosody/pitch";
export { steadied } from "./speech/steadying";
export { unzipped } from "./unzipped";
