import React from "react";
import MoodIndicator from "@robbieblocks/mood-indicator";

interface Place {
  label: string;
  href: string;
}

interface RobbieBarProps {
  mood: string;
  name: string;
  tagline: string;
  places: Place[];
  here?: string;
}

export const RobbieBar: React.FC<RobbieBarProps> = ({ mood, name, tagline, places, here }) => (
  <div className="bar">
    <div className="bar-who">
      <svg className="bar-face" viewBox="0 0 48 48" aria-hidden="true">
        <path d="M24 3v6" />
        <circle className="bar-light" cx="24" cy="4" r="3" />
        <rect x="6" y="10" width="36" height="30" rx="9" />
        <path d="M2 21v9M46 21v9" />
        <circle className="bar-eye" cx="17" cy="23" r="3.5" />
        <circle className="bar-eye" cx="31" cy="23" r="3.5" />
        <path d="M17 32c4 3 10 3 14 0" />
      </svg>
      <p className="bar-name">
        <strong>{name}</strong>
        <span>{tagline}</span>
      </p>
    </div>
    <MoodIndicator mood={mood} prefix={`${name}'s mood`} />
    {places.length > 0 && (
      <nav className="bar-places" aria-label={`${name}'s places`}>
        <ul>
          {places.map((place) => (
            <li key={place.href}>
              <a href={place.href} aria-current={place.href === here ? "page" : undefined}>
                {place.label}
              </a>
            </li>
          ))}
        </ul>
      </nav>
    )}
  </div>
);
