/**
 * A form as it is submitted → which form it was, and, with consent, whose e-mail and phone it names.
 *
 * A field is read when the page marks it (`data-touchline-identify="phone"`), or, where the site asks
 * for it, when the browser itself would call it an e-mail or a phone. Passwords and cards never are,
 * and what names somebody else (a friend, a recipient) only when marked.
 */

import { declared, type Happened } from "./clicks.ts";

const MARK = "data-touchline-identify";
const SECRET = /passw|pwd|card|cvv|cvc|cc-|iban|bank|otp|one-time|captcha|secret|token|密码|验证码|卡号|身份证|银行/i;
const OTHERS = /friend|invite|recipient|referr|gift|\bto\b|_to\b|朋友|好友|收件|被推荐/i;

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

export function submitted(form: HTMLFormElement): Happened {
  const own = form.hasAttribute("data-touchline-event") ? declared(form) : undefined;
  return {
    name: own?.name ?? "Form Submitted",
    properties: {
      form_id: form.getAttribute("id") || undefined,
      form_name: form.getAttribute("name") || undefined,
      ...own?.properties,
    },
  };
}

/** Traits of the one who sent the form, by kind; undefined when it names nobody. */
export function named(form: HTMLFormElement, isAsked: boolean): Record<string, string> | undefined {
  const consent = form.querySelector<HTMLInputElement>("[data-touchline-consent]");
  if (form.closest("[data-touchline-ignore]") || (consent && !consent.checked)) return undefined;
  const found: Record<string, string> = Object.create(null);
  let isAny = false;
  for (const field of Array.from(form.elements) as Field[]) {
    const value = typeof field.value === "string" ? field.value.trim().slice(0, 254) : "";
    const kind = value ? kindOf(field, isAsked) : undefined;
    if (kind && found[kind] === undefined) {
      found[kind] = value;
      isAny = true;
    }
  }
  return isAny ? found : undefined;
}

function kindOf(field: Field, isAsked: boolean): string | undefined {
  const type = field.getAttribute("type")?.toLowerCase() ?? "";
  const fill = field.getAttribute("autocomplete")?.toLowerCase() ?? "";
  const names = [field.getAttribute("name"), field.id, field.getAttribute("placeholder"), fill].join(" ");
  if (field.type === "password" || type === "password" || SECRET.test(names) || field.hasAttribute("data-touchline-ignore")) return undefined;
  const marked = field.getAttribute(MARK);
  if (marked !== null) return marked;
  if (!isAsked || type === "hidden" || OTHERS.test(names)) return undefined;
  if (type === "email" || /\bemail\b/.test(fill)) return "email";
  if (type === "tel" || /\btel(-national)?\b/.test(fill)) return "phone";
  return undefined;
}
