// What pages cannot do by themselves: hear of changes, keep what was typed, ring. No data of a resident is stored by this script
// except an unsent draft, in this tab only.
"use strict";

const desk = { busy: false, again: false, ringing: null };
const $ = (selector) => document.querySelector(selector);
const body = () => document.body;

// -- refreshing: the server sends only the parts whose digest differs from what is here ---------------------------------

function have() {
  return [...document.querySelectorAll("[data-digest]")].map((part) => `${part.id.slice(5)}:${part.dataset.digest}`).join(",");
}

function since() {
  return document.querySelector("#thread-scroll [data-since]")?.dataset.since ?? "";
}

function refresh() {
  if (desk.busy) { desk.again = true; return; }
  desk.busy = true;
  const address = new URL(location.href);
  address.searchParams.set("refresh", "1");
  address.searchParams.set("live", "1");
  htmx.ajax("GET", address.pathname + address.search, { target: body(), swap: "none" }).finally(() => {
    desk.busy = false;
    if (desk.again) { desk.again = false; refresh(); }
  });
}

document.addEventListener("htmx:configRequest", (event) => {
  const asks = /[?&]refresh=1/.test(event.detail.path);
  if (!asks) return;
  event.detail.parameters.have = have();
  const same = event.detail.path.startsWith(location.pathname + "?") || event.detail.path === location.pathname;
  if (same && since()) event.detail.parameters.since = since();
});

function dirty(part) {
  return [...part.querySelectorAll("[data-guard] input, [data-guard] textarea, [data-guard] select")].some((field) => {
    if (field.type === "hidden") return false;
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.tagName === "SELECT") return field.selectedIndex !== Math.max(0, [...field.options].findIndex((option) => option.defaultSelected));
    return field.value !== field.defaultValue;
  });
}

document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const old = event.detail.target;
  if (dirty(old)) {
    event.detail.shouldSwap = false;
    say(body().dataset.changed);
  }
  if (old.id === "part-list") desk.listTop = $("#conversations")?.scrollTop;
  if (old.id === "part-thread") {
    const scroll = $("#thread-scroll");
    desk.before = { id: $("#thread-data")?.dataset.conversation, atEnd: desk.atEnd, top: scroll.scrollTop };
  }
});

document.addEventListener("htmx:oobAfterSwap", (event) => {
  const id = event.detail.target.id;
  if (id === "part-list" && desk.listTop !== undefined && $("#conversations")) $("#conversations").scrollTop = desk.listTop;
  if (id === "part-thread") {
    $("#inbox").classList.toggle("chosen", Boolean($("#thread-data")));
    if (desk.before && desk.before.id !== $("#thread-data")?.dataset.conversation) closeWhy();
    threadChanged();
  }
  if (id === "part-composer") { restoreDraft(); if (desk.taking) { desk.taking = false; $("#draft")?.focus(); } }
  if (id === "part-nav") title();
  if (id === "part-alarms") ring();
});

function say(text) {
  const line = document.createElement("div");
  line.className = "done";
  line.textContent = text;
  $("#notice").replaceChildren(line);
  clearTimeout(desk.clearing);
  desk.clearing = setTimeout(() => line.remove(), 6000);
}

document.addEventListener("desk:done", (event) => {
  const form = event.target.closest?.("form");
  if (form) {
    const draft = form.querySelector("[data-draft]");
    if (draft) sessionStorage.removeItem(`draft:${draft.dataset.draft}`);
    form.reset();
    if (draft) { draft.value = ""; draft.focus(); }
  }
  say(event.detail.text);
  refresh();
});

document.addEventListener("htmx:sendError", () => say(body().dataset.offline));

// -- the thread -----------------------------------------------------------------------------------------------------

function toEnd() {
  const scroll = $("#thread-scroll");
  if (scroll) scroll.scrollTop = scroll.scrollHeight;
  desk.atEnd = true;
  const button = $("[data-to-end]");
  if (button) button.hidden = true;
}

function watchScrolling() {
  const scroll = $("#thread-scroll");
  if (!scroll) return;
  desk.room = scroll.clientHeight;
  scroll.addEventListener("scroll", () => {
    if (scroll.clientHeight !== desk.room) return;  // nobody scrolled: the room changed, which the observer sees to
    desk.atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60;
    if (desk.atEnd) $("[data-to-end]").hidden = true;
  });
  // A banner or the composer takes room: whoever read the end still does.
  new ResizeObserver(() => { desk.room = scroll.clientHeight; if (desk.atEnd) toEnd(); }).observe(scroll);
}

function threadChanged() {
  const before = desk.before, now = $("#thread-data")?.dataset.conversation;
  if (!before || before.id !== now || before.atEnd) toEnd();
  else { $("#thread-scroll").scrollTop = before.top; $("[data-to-end]").hidden = false; }
  markRead();
}

// The explanation stands beside the parts that refresh: only another conversation, or whoever reads it, takes it away.
function closeWhy() {
  $("#why")?.replaceChildren();
  if (desk.why) $(`.why-link[href="${desk.why}"]`)?.focus();  // the link of then may have been replaced since
  desk.why = null;
}

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "why") return;
  desk.why = event.detail.requestConfig.path;
  $("#why [data-close-why]")?.focus();
});

function markRead() {
  const data = $("#thread-data");
  if (data && Number(data.dataset.unread) > 0 && document.visibilityState === "visible") {
    data.dataset.unread = "0";
    post(`/console/inbox/${data.dataset.conversation}/read`);
  }
}

function post(path, fields = {}) {
  const token = JSON.parse(body().getAttribute("hx-headers"));
  return fetch(path, { method: "POST", headers: token, body: new URLSearchParams(fields) });
}

document.addEventListener("htmx:beforeSwap", (event) => {
  const asked = new URL(event.detail.requestConfig.path, location.href);
  if (asked.searchParams.get("live") && asked.pathname !== location.pathname) event.preventDefault();  // another page is open by now
  if (event.detail.target.classList.contains("older")) desk.height = $("#thread-scroll").scrollHeight;
});

document.addEventListener("htmx:afterSwap", () => {
  if (desk.height) {  // what is read stays where it is while older messages come in above
    const scroll = $("#thread-scroll");
    scroll.scrollTop += scroll.scrollHeight - desk.height;
    desk.height = 0;
  }
});

// -- drafts ---------------------------------------------------------------------------------------------------------

function restoreDraft() {
  const draft = $("[data-draft]");
  if (!draft) return;
  const kept = sessionStorage.getItem(`draft:${draft.dataset.draft}`);
  if (kept && draft.value !== kept) draft.value = kept;
}

document.addEventListener("input", (event) => {
  if (event.target.dataset.draft) sessionStorage.setItem(`draft:${event.target.dataset.draft}`, event.target.value);
});

document.addEventListener("keydown", (event) => {
  const sends = event.target.dataset?.draft && event.key === "Enter" && !event.shiftKey && !event.isComposing;
  if (sends && event.target.value.trim()) { event.preventDefault(); event.target.form.requestSubmit(); }
  if (event.key === "Escape") { $("#card")?.classList.remove("shown"); if ($("#why .why")) closeWhy(); }
  const list = event.target.closest?.("#conversations a");
  if (list && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    const next = list.parentElement[event.key === "ArrowDown" ? "nextElementSibling" : "previousElementSibling"];
    next?.querySelector("a")?.focus();
    event.preventDefault();
  }
});

// Keys of the inbox, where nobody is writing: next, previous, take over.
document.addEventListener("keydown", (event) => {
  const writing = event.target.matches?.("input, textarea, select");
  if (event.key === "Escape" && event.target.id === "draft") { $("#conversations a[aria-current]")?.focus(); return; }
  if (!$("#conversations") || writing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "j" || event.key === "k") walk(event.key === "j" ? 1 : -1);
  if (event.key === "t") $("[data-take]")?.click();
});

function walk(step) {
  const links = [...document.querySelectorAll("#conversations li > a[id]")];
  const now = links.findIndex((link) => link.getAttribute("aria-current"));
  const next = links[now < 0 ? 0 : now + step];
  if (!next) return;
  next.scrollIntoView({ block: "nearest" });
  next.click();
}

// How many wait stands in the title, for whoever works in another tab.
function title() {
  const waiting = $("#nav-inbox .badge")?.textContent;
  document.title = (waiting ? `(${waiting}) ` : "") + document.title.replace(/^\(\d+\) /, "");
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-take]")) desk.taking = true;
  if (event.target.closest("[data-to-end]")) toEnd();
  if (event.target.closest("[data-show-card]")) $("#card").classList.toggle("shown");
  if (event.target.closest("[data-hide-card]")) $("#card").classList.remove("shown");
  if (event.target.closest("[data-close-why]")) closeWhy();
  if (event.target.closest("[data-sound]")) ring();
  if (event.target.closest("#notice")) $("#notice").replaceChildren();
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

// -- alarms ---------------------------------------------------------------------------------------------------------

function tone() {
  desk.audio ??= new AudioContext();
  if (desk.audio.state === "suspended") desk.audio.resume();
  const blocked = desk.audio.state !== "running";
  const button = $("[data-sound]");
  if (button) button.hidden = !blocked;
  if (blocked) return;
  const at = desk.audio.currentTime, gain = desk.audio.createGain();
  gain.connect(desk.audio.destination);
  [880, 660, 880].forEach((hertz, i) => {
    const wave = desk.audio.createOscillator();
    wave.frequency.value = hertz;
    wave.connect(gain);
    wave.start(at + i * 0.2);
    wave.stop(at + i * 0.2 + 0.16);
  });
  gain.gain.setValueAtTime(0.2, at);
}

function ring() {
  const banner = $(".alarms");
  const unshown = banner?.dataset.unshown;
  if (unshown && document.visibilityState === "visible") { banner.dataset.unshown = ""; post("/console/alarms/shown", { ids: unshown }); }
  const open = Number(banner?.dataset.ringing ?? 0) > 0;
  clearInterval(desk.ringing);
  if (open) { tone(); desk.ringing = setInterval(tone, 4000); }
}

// -- the stream: one for all tabs of this browser, which share few connections ------------------------------------------

function listen() {
  const stream = new EventSource("/console/live");
  stream.addEventListener("change", () => { refresh(); desk.relay?.postMessage("change"); });
  stream.onopen = () => live(true);
  stream.onerror = () => live(false);
  return new Promise(() => {});
}

function live(on) {
  $("#live")?.classList.toggle("off", !on);
}

document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") { markRead(); ring(); refresh(); } });

document.addEventListener("submit", (event) => { if (event.target.action?.endsWith("/sign-out")) sessionStorage.clear(); });

toEnd();
watchScrolling();
restoreDraft();
document.addEventListener("DOMContentLoaded", () => {
  if (!body().hasAttribute("data-refreshing")) return;
  desk.relay = "BroadcastChannel" in window ? new BroadcastChannel("frontdesk") : null;
  if (desk.relay) desk.relay.onmessage = refresh;
  if (navigator.locks) navigator.locks.request("frontdesk-live", listen); else listen();
  setInterval(refresh, 30000);
  markRead();
  ring();
  title();
});
