// The phone: shows what the platform says is on its screen, and reports what is done on it. The server keeps all state.
"use strict";

const byId = (id) => document.getElementById(id);
const phones = new Map();
const transfers = [];
let current = "";

const GAP_MS = 5 * 60 * 1000;
const VIA = { passive: "被动回复 · reply", push: "客服消息 · pushed" };
const ICONS = { image: "i-photo", voice: "i-voice", location: "i-place", video: "i-photo" };

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", "#" + name);
  svg.append(use);
  return svg;
}

const clockText = (at) => new Date(at).toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false });

/** 14:20, or 11月16日 14:20 of another day. */
function whenText(at) {
  const day = new Date(at);
  const isToday = day.toDateString() === new Date().toDateString();
  return isToday ? clockText(at) : `${day.getMonth() + 1}月${day.getDate()}日 ${clockText(at)}`;
}

// Bubbles

function bubble(entry) {
  const box = make("div", "bubble");
  if (ICONS[entry.kind]) {
    box.classList.add("media");
    box.append(icon(ICONS[entry.kind]), make("span", "", entry.text));
  } else if (entry.kind === "template") {
    const [title, ...fields] = entry.text.split("\n");
    box.classList.add("card");
    box.append(make("b", "", title), ...fields.map((field) => make("span", "", field)));
  } else {
    box.textContent = entry.text;
  }
  return box;
}

const ownFace = () => document.querySelector('.person[aria-pressed="true"] .face').cloneNode(true);

function row(entry) {
  if (entry.direction === "system") return make("p", "grey", entry.text);
  const line = make("div", "row " + entry.direction);
  const face = entry.direction === "sent" ? ownFace() : make("span", "face");
  if (entry.direction !== "sent") face.append(icon("i-house"));
  const body = make("div", "body");
  body.append(bubble(entry));
  const via = entry.kind === "template" ? "模板消息 · template" : VIA[entry.via];
  if (via) body.append(make("small", "via", via));
  line.append(face, body);
  return line;
}

function append(entry, before) {
  const screen = byId("screen");
  if (!before || new Date(entry.at) - new Date(before.at) > GAP_MS) screen.append(make("p", "when", whenText(entry.at)));
  screen.append(row(entry));
}

function toEnd() {
  const screen = byId("screen");
  screen.scrollTop = screen.scrollHeight;
}

function showTyping(phone) {
  document.querySelector(".typing")?.remove();
  if (!phone.typing) return;
  const line = make("div", "row received typing");
  const face = make("span", "face");
  face.append(icon("i-house"));
  line.append(face, make("div", "bubble dots", "•••"));
  byId("screen").append(line);
  toEnd();
}

// The phone in hand

function showState(phone) {
  byId("quota").textContent = phone.left ? `可推送 ${phone.left} 条` : "窗口已关";
  byId("follow").dataset.kind = phone.followed ? "unfollow" : "follow";
  byId("follow-label").textContent = phone.followed ? "取消关注" : "关注";
  byId("follow-english").textContent = phone.followed ? "Unfollow" : "Follow";
  for (const control of document.querySelectorAll(".composer button, .composer textarea, .menu button, .chip, .tools .tool")) {
    control.disabled = !phone.followed && control.id !== "follow" && control.dataset.kind !== "scan";
  }
  showTyping(phone);
}

function choose(openid) {
  current = openid;
  const phone = phones.get(openid);
  phone.unread = 0;
  for (const button of document.querySelectorAll(".person")) {
    button.setAttribute("aria-pressed", String(button.dataset.openid === openid));
  }
  badge(openid);
  byId("screen").replaceChildren();
  phone.screen.forEach((entry, index) => append(entry, phone.screen[index - 1]));
  if (!phone.screen.length) byId("screen").append(make("p", "grey hint", "还没有消息。打字，或点旁边的例句。"));
  showState(phone);
  toEnd();
  showWire();
  try { sessionStorage.setItem("phone", openid); } catch { /* private mode */ }
  document.dispatchEvent(new CustomEvent("phone-chosen", { detail: openid }));
}

function badge(openid) {
  const mark = document.querySelector(`.person[data-openid="${CSS.escape(openid)}"] .unread`);
  const count = phones.get(openid)?.unread || 0;
  mark.hidden = count === 0;
  mark.textContent = count;
}

function arrived(openid, entry) {
  const phone = phones.get(openid);
  if (!phone || phone.screen.some((known) => known.number === entry.number)) return;
  phone.screen.push(entry);
  if (openid !== current) {
    phone.unread = (phone.unread || 0) + (entry.direction === "received" ? 1 : 0);
    badge(openid);
    return;
  }
  document.querySelector(".hint")?.remove();
  append(entry, phone.screen[phone.screen.length - 2]);
  toEnd();
}

// The wire

function transferItem(transfer) {
  const good = ["ok", "success", "reply"].includes(transfer.outcome);
  const item = make("li", transfer.direction + (good ? "" : " bad"));
  const details = make("details");
  const summary = make("summary");
  const again = transfer.attempt > 1 ? ` 第${transfer.attempt}次` : "";
  const name = transfer.direction === "push" ? `推送 ${transfer.name}${again}` : `接口 ${transfer.name}`;
  summary.append(
    make("span", "arrow", transfer.direction === "push" ? "→" : "←"),
    make("span", "", name),
    make("span", "outcome", `${transfer.outcome} · ${transfer.milliseconds} ms`),
  );
  details.append(summary, make("pre", "", transfer.payload || "—"));
  item.append(details);
  return item;
}

const concerns = (transfer) => !transfer.openid || transfer.openid === current;

function showWire() {
  byId("wire").replaceChildren(...transfers.filter(concerns).slice(-60).reverse().map(transferItem));
  byId("wire-empty").hidden = byId("wire").childElementCount > 0;
}

function travelled(transfer) {
  document.dispatchEvent(new CustomEvent("travelled"));
  if (transfers.some((known) => known.number === transfer.number)) return;
  transfers.push(transfer);
  document.dispatchEvent(new Event("travelled"));
  if (transfers.length > 400) transfers.shift();
  if (!concerns(transfer)) return;
  byId("wire").prepend(transferItem(transfer));
  if (byId("wire").childElementCount > 60) byId("wire").lastElementChild.remove();
  byId("wire-empty").hidden = true;
}

// To and from the server

async function act(kind, text = "") {
  const reply = await fetch("/simulator/wechat/send", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ openid: current, kind, text }),
  }).catch(() => null);
  if (!reply || !reply.ok) {
    byId("screen").append(make("p", "grey", "没发出去，请再试。Not sent, try again."));
    toEnd();
  }
}

// What comes while the state is being fetched may be newer than it: kept, and applied after it.
let backlog = null;

async function load() {
  backlog = [];
  const state = await (await fetch("/simulator/state")).json();
  for (const phone of state.phones) phones.set(phone.openid, { ...phone, unread: phones.get(phone.openid)?.unread || 0 });
  transfers.splice(0, transfers.length, ...state.transfers);
  let wanted = current;
  try { wanted = wanted || sessionStorage.getItem("phone"); } catch { /* private mode */ }
  choose(phones.has(wanted) ? wanted : state.phones[0].openid);
  const missed = backlog;
  backlog = null;
  missed.forEach(live);
}

function live(change) {
  if (backlog) {
    backlog.push(change);
    return;
  }
  if (change.phone) {
    const phone = phones.get(change.phone.openid);
    if (phone) Object.assign(phone, { ...change.phone, screen: phone.screen });
    if (change.entry) arrived(change.phone.openid, change.entry);
    if (phone && change.phone.openid === current) showState(phone);
  }
  if (change.transfer) travelled(change.transfer);
}

function connection(text, isLive) {
  byId("state").textContent = text;
  byId("state").classList.toggle("live", isLive);
}

function follow() {
  const stream = new EventSource("/simulator/events");
  // What came while the stream was away is in the state.
  stream.onopen = () => load().then(() => connection("在线", true)).catch(() => connection("重连中…", false));
  stream.onerror = () => connection("重连中…", false);
  stream.onmessage = (message) => live(JSON.parse(message.data));
}

// Hands

function submit() {
  const text = byId("text").value.trim();
  if (!text || !current) return;
  byId("text").value = "";
  grow();
  act("text", text);
}

function grow() {
  const field = byId("text");
  field.style.height = "auto";
  field.style.height = Math.min(field.scrollHeight, 110) + "px";
}

byId("composer").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
byId("text").addEventListener("input", grow);
byId("text").addEventListener("keydown", (event) => {
  // Enter that only ends a word of the input method must not send.
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); submit(); }
});
byId("people").addEventListener("click", (event) => {
  const button = event.target.closest(".person");
  if (button && phones.has(button.dataset.openid)) choose(button.dataset.openid);
});
byId("chips").addEventListener("click", (event) => {
  const chip = event.target.closest(".chip");
  if (chip && current) act(chip.dataset.kind || "text", chip.dataset.text);
});
for (const button of document.querySelectorAll("[data-kind]:not(.chip)")) {
  button.addEventListener("click", () => { if (current) act(button.dataset.kind, button.dataset.text || ""); });
}
new ResizeObserver(toEnd).observe(byId("screen"));
const tick = () => { byId("clock").textContent = clockText(Date.now()); };
tick();
setInterval(tick, 10000);
follow();
