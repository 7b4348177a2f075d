/** Builds `dist`: the page's module, its worker, the stages for tests, and onnxruntime's files. */

import { build } from "esbuild";
import { copyFile, mkdir } from "node:fs/promises";

const RUNTIME = "node_modules/onnxruntime-web/dist";

await mkdir("dist", { recursive: true });
await build({
  entryPoints: { nativeear: "src/ear.ts", worker: "src/worker.ts", stages: "src/stages.ts" },
  outdir: "dist",
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none",
  conditions: ["onnxruntime-web-use-extern-wasm"],
});
for (const file of ["ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"]) {
  await copyFile(`${RUNTIME}/${file}`, `dist/${file}`);
}
