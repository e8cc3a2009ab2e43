// Hands what the microphone gives to the page, piece by piece.
"use strict";

class Recorder extends AudioWorkletProcessor {
  process(inputs) {
    const sound = inputs[0] && inputs[0][0];
    if (sound) this.port.postMessage(sound.slice());
    return true;
  }
}

registerProcessor("recorder", Recorder);
