"""All threads make instances of one class, call its methods and read its attributes."""
GROUP = "shared"


class Account:
    rate = 3
    fee = 1

    def __init__(self, balance):
        self.balance = balance

    def accrue(self):
        self.balance += self.rate - self.fee
        return self.balance

    @staticmethod
    def zero():
        return 0

    @classmethod
    def base(cls):
        return cls.rate


def work(scale, state):
    total = 0
    for i in range(scale):
        a = Account(i)
        total += a.accrue() + Account.base() + Account.zero()
    return total


SCALE = 300_000
