/* Words that announce a person: names of attributes, and segments of a path that stand before one.
 * Both lists are grown from what sites send; tests/unit/privacy/scrub.c has examples of each side.
 */
#include "crumb/privacy/scrub.h"

static bool in_list(const char *const *list, size_t n, struct str s)
{
	for (size_t i = 0; i < n; i++)
		if (str_ieq(s, str_c(list[i])))
			return true;
	return false;
}

bool scrub_segment_names(struct str before, struct str s)
{
	static const char *const announce[] = {"user", "users", "u", "member", "members", "profile",
	    "profiles", "customer", "customers", "patient", "patients", "account", "accounts",
	    "mailto", "unsubscribe"};
	static const char *const common[] = {"", "me", "self", "login", "logout", "signin",
	    "sign-in", "signup", "sign-up", "register", "registration", "new", "edit", "add",
	    "create", "delete", "settings", "preferences", "orders", "order", "order-history",
	    "history", "password", "reset", "reset-password", "forgot-password", "forgot",
	    "profile", "account", "addresses", "billing", "payment", "payments", "subscriptions",
	    "subscription", "wishlist", "favorites", "favourites", "notifications", "messages",
	    "inbox", "dashboard", "overview", "home", "index", "index.html", "index.php", "list",
	    "search", "all", "help", "support", "security", "privacy", "verify", "confirm",
	    "confirmation", "activate", "welcome", "thanks", "thank-you", "success", "cart",
	    "checkout", "returns", "reviews", "rewards", "points", "loyalty", "guide", "guides",
	    "manual", "docs", "stories", "benefits", "area", "portal", "service", "services",
	    "newsletter"};
	return in_list(announce, sizeof announce / sizeof *announce, before) &&
	       !in_list(common, sizeof common / sizeof *common, s);
}

/* The name is compared in small letters and without its signs, so first_name, First-Name and
 * firstName are one. Short words are compared whole ("ip" is in "shipping"), long ones anywhere
 * within. */
bool scrub_name_is_personal(struct str name)
{
	static const char *const whole[] = {"name", "user", "usr", "uid", "uuid", "udid", "guid",
	    "login", "ip", "tel", "fax", "ssn", "nin", "dob", "iban", "bic", "imei", "imsi",
	    "iccid", "mac", "token", "session", "sid", "auth", "idfa", "gaid", "aaid", "lat", "lon",
	    "lng", "gps", "coords", "customer", "client", "patient", "member", "person", "contact",
	    "nick", "alias", "handle", "fname", "lname", "mname", "vin", "dni", "nif", "nie", "cpf",
	    "cnpj", "pesel", "bsn", "vatid", "taxid", "plate", "otp", "pin", "pwd", "secret", "jwt",
	    "cookie", "clientid", "ga", "gid", "cid", "gclid", "dclid", "wbraid", "gbraid",
	    "fbclid", "fbp", "fbc", "msclkid", "ttclid", "twclid", "liclid", "epik", "yclid",
	    "mcid", "mceid", "hem", "rampid", "uid2", "id5", "pii", "account", "acct", "recipient",
	    "cc", "bcc", "subscriber"};
	static const char *const part[] = {"mail", "phone", "mobilen", "firstname", "lastname",
	    "surname", "givenname", "familyname", "maidenname", "middlename", "fullname",
	    "realname", "displayname", "nickname", "username", "screenname", "userid", "customerid",
	    "clientid", "memberid", "patientid", "personid", "visitorid", "contactid", "profileid",
	    "accountid", "accountn", "subscriberid", "loginid", "password", "passwd", "passphrase",
	    "birth", "address", "street", "zipcode", "postcode", "postalcode", "creditcard",
	    "cardn", "cardholder", "ccnum", "cvv", "cvc", "passport", "driverslicen",
	    "licenseplate", "sessionid", "jsession", "phpsess", "accesstoken", "authtoken",
	    "refreshtoken", "idtoken", "apikey", "apitoken", "msisdn", "deviceid", "advertisingid",
	    "ipaddr", "macaddr", "socialsecurity", "nationalid", "taxid", "taxnumber",
	    "insuranceid", "healthid", "latitude", "longitude", "geoloc"};
	char bare[64];
	size_t n = 0;
	for (size_t i = 0; i < name.n && n < sizeof bare; i++)
		if (chr_alpha(name.p[i]) || chr_digit(name.p[i]))
			bare[n++] = chr_lower(name.p[i]);
	struct str s = str_make(bare, n);
	for (size_t i = 0; i < sizeof part / sizeof part[0]; i++)
		if (str_has(s, str_c(part[i])))
			return true;
	return in_list(whole, sizeof whole / sizeof whole[0], s);
}
