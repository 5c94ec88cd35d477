"""learn.py FOLDER N: scikit-learn on the matrix of like N; prints its seconds, and area under the curve and lift at 10 % of our scores and of its own."""
import csv
import sys
import time

import numpy
from sklearn.datasets import load_svmlight_file
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

where, n = sys.argv[1:]
x, y = load_svmlight_file('%s/like%s.libsvm' % (where, n))
began = time.monotonic()
theirs = LogisticRegression(C=1, class_weight='balanced', max_iter=1000).fit(x, y).decision_function(x)[y < 0]
seconds = time.monotonic() - began
rows = list(csv.DictReader(open('%s/like%s.scores.csv' % (where, n))))        # in the same order, without the seeds
hidden = {r['id'] for r in csv.DictReader(open('%s/hidden%s.csv' % (where, n)))}
ours, true = numpy.array([float(r['score']) for r in rows]), numpy.array([r['id'] in hidden for r in rows])
assert len(ours) == len(theirs) and true.sum() == len(hidden)


def lift(scores):
    return true[numpy.argsort(-scores, kind='stable')[:len(scores) // 10]].mean() / true.mean()


print(seconds, roc_auc_score(true, ours), roc_auc_score(true, theirs), lift(ours), lift(theirs))
