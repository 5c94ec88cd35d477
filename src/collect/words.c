/* The texts of /me in English and German. They speak to visitors: no word of ours that an outsider
 * would have to learn. */
#include "crumb/collect/words.h"

const char *const words_tags[WORDS_LANGUAGES] = {"en", "de"};

const char *const words[WORDS_LANGUAGES][W_MAX] = {
    {
	[W_TITLE] = "What is known about this browser",
	[W_OPTED_OUT_NOW] = "This browser is opted out: nothing new is recorded.",
	[W_NOTHING] = "Nothing is known about this browser.",
	[W_ONCE] =
	    "This browser was seen once. That is forgotten within a day, unless it comes back.",
	[W_KNOWN] = "Known by a random number in a cookie, not by name. Seen from <time>@1</time> "
		    "to <time>@2</time>; if it is not seen again, everything is forgotten on "
		    "<time>@3</time>.",
	[W_INTERESTS] = "Interests",
	[W_WHAT] = "what",
	[W_TIMES] = "times",
	[W_DAYS] = "days",
	[W_FORGOTTEN_ON] = "forgotten on",
	[W_AUDIENCES] = "Audiences",
	[W_NAME] = "name",
	[W_LEFT_ON] = "left on, if nothing more is seen",
	[W_NONE_YET] = "None.",
	[W_PLACE] = "Browser and place",
	[W_COUNTRY] = "country",
	[W_REGION] = "region",
	[W_DEVICE] = "device",
	[W_OS] = "system",
	[W_BROWSER] = "browser",
	[W_CONSENT] = "consent",
	[W_CONSENT_ROW] = "given on <time>@1</time> for the purposes @2",
	[W_PAGES_SAID] = "What pages said",
	[W_OTHERS] = "Others who know this browser",
	[W_WHO] = "who",
	[W_BY_WHAT] = "by what",
	[W_SINCE] = "since",
	[W_CHOICE] = "Your choice",
	[W_DOWNLOAD] = "Download all of this",
	[W_FORGET] = "Forget me",
	[W_OPTOUT] = "Opt out and forget me",
	[W_OPTIN] = "Opt in again",
	[W_LEAVES] =
	    "“Forget me” erases what is above; a later visit begins anew. Opting out erases it "
	    "too, and nothing is recorded any more. What it leaves: a cookie that "
	    "says “no” and nothing else, for @1 days, so whoever deletes cookies has to opt out "
	    "again; a note for @2 days of the number under which something was "
	    "erased, so that it does not come back; and partners who were told of an audience are "
	    "told to take this browser out of it. You see as much "
	    "advertising as before.",
	[W_OPERATOR] = "This is kept by @1.",
	[W_POLICY] = "Privacy policy",
	[W_FORGOTTEN] = "Forgotten",
	[W_NOT_KNOWN] = "Nothing to forget",
	[W_WAS_NOTHING] = "Nothing was known about this browser.",
	[W_OUT] = "Opted out",
	[W_IS_OUT] = "You are opted out: this browser is no longer recorded.",
	[W_COOKIE_SAYS] = "A cookie says so for @1 days.",
	[W_IN] = "Opted in",
	[W_IS_IN] = "You are opted in: this browser may be recorded again.",
	[W_RECEIPT] =
	    "Receipt @1, <time>@2</time> @3 UTC: what was known about this browser is erased. It "
	    "is gone from everything that answers, is not taken up again when the "
	    "old cookie comes back, and its sealed record is rewritten within a day.",
	[W_BACK] = "What is known about this browser",
    },
    {
	[W_TITLE] = "Was über diesen Browser bekannt ist",
	[W_OPTED_OUT_NOW] = "Dieser Browser ist abgemeldet: Es wird nichts Neues aufgezeichnet.",
	[W_NOTHING] = "Über diesen Browser ist nichts bekannt.",
	[W_ONCE] = "Dieser Browser wurde einmal gesehen. Das wird innerhalb eines Tages vergessen, "
		   "wenn er nicht wiederkommt.",
	[W_KNOWN] = "Bekannt durch eine Zufallszahl in einem Cookie, nicht mit Namen. Gesehen vom "
		    "<time>@1</time> bis zum <time>@2</time>; wird er nicht mehr gesehen, "
		    "ist am <time>@3</time> alles vergessen.",
	[W_INTERESTS] = "Interessen",
	[W_WHAT] = "was",
	[W_TIMES] = "wie oft",
	[W_DAYS] = "an Tagen",
	[W_FORGOTTEN_ON] = "vergessen am",
	[W_AUDIENCES] = "Zielgruppen",
	[W_NAME] = "Name",
	[W_LEFT_ON] = "endet am, wenn nichts hinzukommt",
	[W_NONE_YET] = "Keine.",
	[W_PLACE] = "Browser und Ort",
	[W_COUNTRY] = "Land",
	[W_REGION] = "Region",
	[W_DEVICE] = "Gerät",
	[W_OS] = "Betriebssystem",
	[W_BROWSER] = "Browser",
	[W_CONSENT] = "Einwilligung",
	[W_CONSENT_ROW] = "gegeben am <time>@1</time> für die Zwecke @2",
	[W_PAGES_SAID] = "Was Seiten mitgeteilt haben",
	[W_OTHERS] = "Andere, die diesen Browser kennen",
	[W_WHO] = "wer",
	[W_BY_WHAT] = "woran",
	[W_SINCE] = "seit",
	[W_CHOICE] = "Ihre Wahl",
	[W_DOWNLOAD] = "Alles herunterladen",
	[W_FORGET] = "Vergessen",
	[W_OPTOUT] = "Abmelden und vergessen",
	[W_OPTIN] = "Wieder anmelden",
	[W_LEAVES] = "„Vergessen“ löscht, was oben steht; ein späterer Besuch beginnt von vorn. "
		     "Auch Abmelden löscht es, und dann wird nichts mehr aufgezeichnet. Was davon "
		     "bleibt: für @1 Tage ein Cookie, das „nein“ sagt und sonst nichts, wer also "
		     "seine Cookies löscht, muss sich wieder abmelden; für @2 Tage ein Vermerk, "
		     "unter welcher Nummer etwas gelöscht wurde, damit es nicht wiederkommt; und "
		     "Partnern, denen eine Zielgruppe mitgeteilt wurde, wird gesagt, "
		     "dass sie diesen Browser daraus entfernen sollen. Sie sehen so viel Werbung "
		     "wie vorher.",
	[W_OPERATOR] = "Verantwortlich: @1.",
	[W_POLICY] = "Datenschutzerklärung",
	[W_FORGOTTEN] = "Vergessen",
	[W_NOT_KNOWN] = "Nichts zu vergessen",
	[W_WAS_NOTHING] = "Über diesen Browser war nichts bekannt.",
	[W_OUT] = "Abgemeldet",
	[W_IS_OUT] = "Sie sind abgemeldet: Dieser Browser wird nicht mehr aufgezeichnet.",
	[W_COOKIE_SAYS] = "Ein Cookie sagt das für @1 Tage.",
	[W_IN] = "Angemeldet",
	[W_IS_IN] = "Sie sind angemeldet: Dieser Browser darf wieder aufgezeichnet werden.",
	[W_RECEIPT] =
	    "Quittung @1, <time>@2</time> @3 UTC: Was über diesen Browser bekannt war, ist "
	    "gelöscht. Es ist aus allem verschwunden, was Auskunft gibt, wird nicht wieder "
	    "aufgenommen, wenn das alte Cookie wiederkommt, und die versiegelte Aufzeichnung wird "
	    "innerhalb eines Tages neu geschrieben.",
	[W_BACK] = "Was über diesen Browser bekannt ist",
    },
};

const char *words_device(unsigned language, const char *device)
{
	static const char *const known[][WORDS_LANGUAGES] = {{"desktop", "Rechner"},
	    {"mobile", "Telefon"}, {"tablet", "Tablet"}, {"tv", "Fernseher"},
	    {"console", "Spielkonsole"}};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i][0], device) == 0)
			return known[i][language];
	return device;
}
