// Prints the notice of every package that esbuild put into the bundle.
import { readFileSync, readdirSync } from "node:fs";
import { buildSync } from "esbuild";

const { metafile } = buildSync({
  entryPoints: ["page.jsx"], bundle: true, write: false, metafile: true, outdir: "unused", jsx: "automatic",
  minify: true, define: { "process.env.NODE_ENV": '"production"' }, logLevel: "silent",
});
const used = new Set(
  Object.keys(metafile.inputs)
    .map((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1])
    .filter(Boolean),
);
console.log("graphiql.js and graphiql.css contain these packages.\n");
for (const folder of [...used].sort()) {
  const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const file = readdirSync(folder).find((f) => /^(licen[cs]e|copying)/i.test(f));
  console.log(`==== ${name} ${version} (${license})\n`);
  console.log(file ? `${readFileSync(`${folder}/${file}`, "utf8").trim()}\n` : "(no licence file in the package)\n");
}
