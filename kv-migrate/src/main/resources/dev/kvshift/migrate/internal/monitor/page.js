"use strict";
// Shows /status.json. Everything that comes from there is set as text, never as markup.
const PHASES = ["legacy", "shadow-write", "dual-write", "shadow-read", "new-read", "new-primary",
  "new-only"];
const GOOD = ["verified", "moved"];
const BAD = ["differences"];
const numbers = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const byId = id => document.getElementById(id);
const cards = new Map();
let wait = 2000;

function element(tag, text, kind) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function count(value) {
  return value === undefined ? "–" : numbers.format(value);
}

function duration(seconds) {
  if (seconds === undefined || !isFinite(seconds)) return "–";
  const s = Math.round(seconds);
  if (s < 0) return "over since " + duration(-s);
  if (s < 120) return s + " s";
  if (s < 7200) return Math.round(s / 60) + " min";
  if (s < 172800) return Math.round(s / 3600) + " h";
  return Math.round(s / 86400) + " days";
}

function bytes(value) {
  if (value === undefined) return "–";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) { value /= 1000; unit++; }
  return (unit ? value.toFixed(1) : value) + " " + units[unit];
}

function utc(text) {
  return text.replace("T", " ").replace(/(\.\d+)?Z$/, "");
}

function until(text) {
  return (Date.parse(text) - Date.now()) / 1000;
}

function attention(collection) {
  const name = collection.collection + ": ";
  if (collection.failure) return [name + "cannot be read: " + collection.failure];
  if (!collection.step) return [];
  const found = [];
  if (collection.fenced) found.push(name + "writers wait behind a fence");
  if (collection.paused) found.push(name + "paused: hosts leave it alone");
  if (collection.deadLetters) found.push(name + count(collection.deadLetters) + " dead letters");
  if (collection.verified && collection.verified.differences)
    found.push(name + "the last comparison found " + count(collection.verified.differences)
      + " differences");
  for (const task of collection.tasks)
    if (task.failures || task.status === "failed")
      found.push(name + task.task + (task.status === "failed" ? " has failed: " : " is retried: ")
        + task.reason);
  if (collection.sourceKeepsUntil && collection.step !== "moved"
      && until(collection.sourceKeepsUntil) < 6 * 3600) {
    const left = until(collection.sourceKeepsUntil);
    found.push(name + "the old store may drop changes that are not streamed"
      + (left > 0 ? " in " + duration(left) : ", since " + duration(-left)));
  }
  return found;
}

function brief(collection) {
  if (collection.failure) return "cannot be read";
  if (!collection.step) return "not read yet";
  const left = collection.secondsLeft === undefined ? ""
    : ", about " + duration(collection.secondsLeft) + " left";
  if (collection.step === "copy")
    return count(collection.copy.read) + " rows, " + count(collection.rates.copy) + "/s" + left;
  if (collection.step === "verify") return count(collection.rates.verify) + " rows/s" + left;
  if (collection.step === "moved") return "on the new store";
  if (collection.step === "new") return "not prepared";
  return "lag " + count(collection.lag.applyChanges) + " changes, "
    + duration(collection.lag.seconds);
}

function progress(collection) {
  if (collection.step === "copy")
    return collection.expectedRows ? collection.copy.read / collection.expectedRows : 0;
  if (collection.step === "verify") {
    const task = collection.tasks.find(each => each.task === "verify");
    return task && task.total ? task.done / task.total : 0;
  }
  return undefined;
}

function figures(collection) {
  const lag = collection.lag;
  const verified = collection.verified;
  const list = [
    ["Copied", count(collection.copy.written) + " rows",
      count(collection.copyTasksDone) + " of " + count(collection.copyTasks) + " tasks, "
      + count(collection.rates.copy) + " rows/s"],
    ["Time left", duration(collection.secondsLeft), collection.step],
    ["Streamed", count(collection.rates.stream) + " changes/s",
      count(lag.streamChanges) + " behind the old store"],
    ["Applied", count(collection.rates.apply) + " changes/s",
      count(lag.applyChanges) + " behind the old store"],
    ["Lag", duration(lag.seconds),
      count(lag.records) + " records, " + bytes(lag.bytes)],
    ["Comparison",
      collection.verifyingSince ? "runs, " + count(collection.rates.verify) + " rows/s"
        : verified ? count(verified.differences) + " differences" : "not yet",
      verified ? count(verified.sourceRows) + " and " + count(verified.targetRows) + " rows, "
        + utc(verified.at) : "",
      verified ? (verified.differences ? "bad" : "good") : ""],
    ["Comparison valid for", verified ? duration(until(verified.validUntil)) : "–", "",
      verified && until(verified.validUntil) < 3600 ? "warn" : ""],
    ["Old store keeps changes for",
      collection.sourceKeepsUntil ? duration(until(collection.sourceKeepsUntil)) : "–", "not yet streamed ones"],
    ["Dead letters", count(collection.deadLetters), count(collection.copy.rejected)
      + " rejected by the copy, " + count(collection.acceptedLosses) + " accepted as lost",
      collection.deadLetters ? "bad" : ""],
    ["Fleet", collection.fleet.ready + " of " + collection.fleet.instances + " ready",
      "epoch " + count(collection.epoch), collection.fleet.notReady.length ? "warn" : ""],
  ];
  return list.map(([term, text, small, kind]) => {
    const box = document.createElement("div");
    box.append(element("dt", term));
    const value = element("dd", text, kind);
    if (small) value.append(element("small", small));
    box.append(value);
    return box;
  });
}

function tasks(collection) {
  if (!collection.tasks.length) return [element("li", "nobody has asked hosts for one", "soft")];
  return collection.tasks.map(task => {
    let text = task.task + " " + task.status;
    if (task.done && task.status !== "done") text += ", " + count(task.done);
    if (task.total > task.done && task.status !== "done") text += " of about " + count(task.total);
    if (task.status === "running") text += ", by " + task.owner;
    if (task.attempt > 1) text += ", attempt " + task.attempt;
    if (task.note && task.status !== "failed") text += ": " + task.note;
    if (task.reason) text += ", failed " + task.failures + " times: " + task.reason;
    return element("li", text, task.status === "failed" ? "bad" : task.failures ? "warn" : "");
  });
}

function fleet(collection) {
  if (!collection.fleet.instances) return [element("li", "no process uses it", "soft")];
  if (!collection.fleet.notReady.length)
    return [element("li", collection.fleet.ready + " of " + collection.fleet.instances + " processes are ready", "good")];
  const lines = collection.fleet.notReady.map(user =>
    element("li", user.service + " " + user.instance + ": " + user.why, "warn"));
  const more = collection.fleet.instances - collection.fleet.ready - lines.length;
  if (more > 0) lines.push(element("li", "and " + count(more) + " more"));
  return lines;
}

function events(collection) {
  return collection.events.slice().reverse().map(text => {
    let event;
    try { event = JSON.parse(text); } catch (e) { return element("li", text); }
    const { at, what, who, host, ...rest } = event;
    const more = Object.entries(rest)
      .filter(([, value]) => typeof value !== "object")
      .map(([name, value]) => name === "command" ? value : name + " " + value).join(", ");
    const line = element("li", (at ? utc(at) : "") + "  ");
    line.append(element("b", what || ""), element("span", " " + more + " "),
      element("span", (who || "") + (host ? "@" + host : ""), "soft"));
    return line;
  });
}

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function plot(box, series) {
  const axis = () => ({ stroke: color("--soft"), grid: { stroke: color("--line"), width: 1 },
    ticks: { stroke: color("--line"), width: 1 }, font: "11px sans-serif" });
  return new uPlot({
    width: box.clientWidth || 300, height: 160, padding: [8, 28, 0, 0],
    tzDate: at => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
    legend: { live: false }, cursor: { show: false },
    scales: { y: { range: (u, low, high) => [0, high > 0 ? high * 1.1 : 1] } },
    axes: [{ ...axis(), space: 70, values: [
      [3600, "{HH}:{mm}", null, null, null, null, null, null, 1],
      [1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 1]] },
      { ...axis(), size: 54, values: (u, ticks) => ticks.map(short) }],
    series: [{}].concat(series.map(([label, paint]) => ({ label, stroke: color(paint), width: 1.5,
      points: { show: false } }))),
  }, null, box);
}

function short(value) {
  if (value >= 1e9) return value / 1e9 + " G";
  if (value >= 1e6) return value / 1e6 + " M";
  return value >= 1e3 ? value / 1e3 + " k" : String(value);
}

async function plots(card) {
  const answer = await fetch("history/" + card.name + ".json");
  if (!answer.ok) return;
  const course = await answer.json();
  const boxes = [
    [".rates", ["copy", "stream", "apply", "verify"],
      [["copy", "--one"], ["stream", "--two"], ["apply", "--three"], ["verify", "--four"]]],
    [".lag", ["lagChanges"], [["changes", "--three"]]],
    [".age", ["lagSeconds"], [["seconds", "--three"]]],
  ];
  boxes.forEach(([where, names, series], i) => {
    const box = card.root.querySelector(where);
    if (!card.plots[i]) card.plots[i] = plot(box, series);
    if (box.clientWidth && box.clientWidth !== card.plots[i].width)
      card.plots[i].setSize({ width: box.clientWidth, height: 160 });
    card.plots[i].setData([course.seconds, ...names.map(name => course[name])]);
  });
}

function card(name, isOpen) {
  const root = byId("collection").content.cloneNode(true).firstElementChild;
  root.open = isOpen;
  root.querySelector(".name").textContent = name;
  for (const phase of PHASES) root.querySelector(".phases").append(element("li", phase));
  byId("collections").append(root);
  const made = { name, root, plots: [] };
  root.addEventListener("toggle", () => { if (root.open) plots(made).catch(() => {}); });
  return made;
}

function show(collection, isAlone) {
  const name = collection.collection;
  if (!cards.has(name)) cards.set(name, card(name, isAlone));
  const { root } = cards.get(name);
  const step = root.querySelector(".step");
  step.textContent = collection.failure ? "unknown" : collection.step || "…";
  step.className = "step " + (collection.failure || BAD.includes(collection.step) ? "bad"
    : GOOD.includes(collection.step) ? "good" : collection.step === "cutover" ? "warn" : "");
  root.querySelector(".brief").textContent = brief(collection);
  const bar = root.querySelector("progress");
  const part = collection.step ? progress(collection) : undefined;
  bar.hidden = part === undefined;
  bar.value = part || 0;
  const failure = root.querySelector(".failure");
  failure.hidden = !collection.failure;
  failure.textContent = collection.failure || "";
  root.querySelector(".known").hidden = !collection.step;
  if (!collection.step) return;
  const now = PHASES.indexOf(collection.phase);
  [...root.querySelectorAll(".phases li")].forEach((item, i) => {
    item.className = i < now ? "past" : i === now ? "now" : "";
  });
  root.querySelector(".figures").replaceChildren(...figures(collection));
  root.querySelector(".tasks").replaceChildren(...tasks(collection));
  root.querySelector(".fleet").replaceChildren(...fleet(collection));
  root.querySelector(".events").replaceChildren(...events(collection));
}

async function look() {
  const answer = await fetch("status.json");
  if (!answer.ok) throw new Error("the monitor answers with " + answer.status);
  const status = await answer.json();
  wait = Math.max(1000, Math.min(10000, status.intervalMillis));
  document.title = status.name + " – kvshift";
  byId("name").textContent = status.name;
  byId("fresh").textContent = utc(status.at) + " UTC";
  byId("fresh").className = "";
  status.collections.forEach(each => show(each, status.collections.length <= 3));
  const found = status.collections.flatMap(attention);
  if (status.hosts && !status.hosts.length
      && status.collections.some(each => (each.tasks || []).some(task => task.status === "wanted")))
    found.push("no host runs, and tasks wait for one");
  byId("attention").hidden = !found.length;
  byId("attention").replaceChildren(...found.map(text => element("li", text)));
  byId("hosts").replaceChildren(...(!status.hosts ? [element("li", "the broker does not tell", "bad")]
    : status.hosts.length ? status.hosts.map(host => element("li", host.name + " at " + host.address.replace(/^\//, "")))
    : [element("li", "none runs", "soft")]));
  await Promise.all([...cards.values()].filter(each => each.root.open).map(plots));
  document.body.dataset.shown = status.collections.length;
}

async function again() {
  try {
    await look();
  } catch (e) {
    byId("fresh").textContent = "no answer: what you see is old (" + e.message + ")";
    byId("fresh").className = "bad";
  }
  setTimeout(again, wait);
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const each of cards.values()) {
    each.plots.forEach(made => made.destroy());
    each.plots = [];
  }
});
again();
