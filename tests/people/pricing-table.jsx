import { useState } from "react";
import { Check } from "lucide-react";

const tiers = [
  { id: "hobby", name: "Hobby", monthly: 0, features: ["1 project", "Community support"] },
  { id: "pro", name: "Pro", monthly: 19, features: ["Unlimited projects", "Email support", "Analytics"], popular: true },
  { id: "team", name: "Team", monthly: 49, features: ["Everything in Pro", "SSO", "Audit log"] },
];

export default function PricingTable({ currency = "$" }) {
  const [annual, setAnnual] = useState(false);

  return (
    <div className="py-12">
      <div className="flex justify-center gap-3">
        <span>Monthly</span>
        <button
          type="button"
          role="switch"
          aria-checked={annual}
          aria-label="Annual billing"
          onClick={() => setAnnual((a) => !a)}
          className={`relative h-6 w-11 rounded-full transition-colors ${annual ? "bg-primary" : "bg-gray-400"}`}
        >
          <span className={`absolute top-0.5 left-0.5 h-5 w-5 rounded-full bg-white transition-transform ${annual ? "translate-x-5" : ""}`} />
        </button>
        <span>Annual <em className="text-xs text-success not-italic">(2 months free)</em></span>
      </div>

      <div className="mt-10 grid gap-6 md:grid-cols-3">
        {tiers.map((tier) => {
          const price = annual ? tier.monthly * 10 : tier.monthly;
          return (
            <div key={tier.id} data-tier={tier.id}
              className={`flex flex-col rounded-2xl p-8 ring-1 ${tier.popular ? "ring-2 ring-primary" : "ring-border"}`}>
              <h3 className="text-lg font-semibold">{tier.name}{tier.popular && <span className="ml-2 rounded bg-primary px-2 py-0.5 text-xs text-on-primary">Popular</span>}</h3>
              <p className="mt-4"><span className="price text-4xl font-bold tabular-nums">{currency}{price}</span>/{annual ? "yr" : "mo"}</p>
              <ul className="mt-6 space-y-2 text-sm">
                {tier.features.map((f) => (
                  <li key={f} className="flex gap-x-2"><Check className="size-5 shrink-0 text-primary" aria-hidden="true" />{f}</li>
                ))}
              </ul>
              <a href={`#${tier.id}`} className="mt-8 block rounded-md bg-primary px-3 py-2 text-center text-sm font-semibold text-on-primary hover:opacity-90">Get {tier.name}</a>
            </div>
          );
        })}
      </div>
    </div>
  );
}
